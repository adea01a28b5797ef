"""The keys of endpoints: from the environment, or from a command of the user's."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError
from moa_tui.text import Secret, secrets_of_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import Endpoint

_COMMAND_S = 10.0
_KEY_VARIABLE = re.compile(r"(?i)(?:key|token|secret|password|passwd)s?(?![a-z])")
"""A name like OPENAI_API_KEY_WORK; TOKENIZERS_PARALLELISM is none."""
_KEY = re.compile(r"[!-~]+")


def secrets_in(environ: Mapping[str, str]) -> list[Secret]:
    """Return what must never be shown of an environment: every variable that may hold a key."""
    found = [Secret(value.strip()) for name, value in environ.items() if _KEY_VARIABLE.search(name)]
    for name, value in environ.items():
        if name.lower().endswith("_proxy"):
            found += secrets_of_proxy(value)
    return found


def find_key(endpoint: Endpoint, environ: Mapping[str, str]) -> Secret | None:
    """Return the key in the endpoint's variable, None where none is needed or a command gives it.

    Raises:
        ConfigError: a hosted endpoint's key is missing, or no request could carry it.
    """
    value = environ.get(endpoint.api_key_env, "").strip() if endpoint.api_key_env else ""
    if value:
        return _checked(value, endpoint.api_key_env)
    if endpoint.api_key_cmd:
        _check_command(endpoint)
        return None
    # Servers of one's own seldom want a key, and over plain http none would be sent.
    is_optional = endpoint.is_own or endpoint.base_url.startswith("http:")
    if not endpoint.api_key_env or is_optional:
        return None
    where = f" (keys: {endpoint.key_page})" if endpoint.key_page else ""
    raise ConfigError(
        f"{endpoint.label or endpoint.name} needs a key: set {endpoint.api_key_env}{where}"
    )


async def key_from_command(endpoint: Endpoint, *, clock: Clock) -> Secret:
    """Run the endpoint's command beside the loop and return the key that it prints.

    Raises:
        ConfigError: the command can't be run, fails, or prints something else.
    """
    program = _check_command(endpoint)
    named = _named(endpoint)
    try:
        process = await asyncio.create_subprocess_exec(
            program, *endpoint.api_key_cmd[1:], stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
    except OSError as error:
        raise ConfigError(f"{named} can't be run: {error.strerror}") from error
    try:
        async with clock.timeout(_COMMAND_S):
            printed, _ = await process.communicate()
    except TimeoutError as error:
        raise ConfigError(f"{named} took longer than {_COMMAND_S:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ConfigError(f"{named} failed with exit code {process.returncode}")
    return _checked(printed.decode("utf-8", "replace").strip(), named)


def _check_command(endpoint: Endpoint) -> str:
    """Return the command's program: in the path, or installed with us, as our extras are."""
    name = endpoint.api_key_cmd[0]
    program = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    if program is None:
        raise ConfigError(f"{_named(endpoint)} can't be run: there is no such program")
    return program


def _named(endpoint: Endpoint) -> str:
    return f"endpoints.{endpoint.name}.api_key_cmd ({endpoint.api_key_cmd[0]})"


def _checked(value: str, source: str) -> Secret:
    """Return the key, unless no request could carry it; it isn't shown, wrong or not."""
    if _KEY.fullmatch(value):
        return Secret(value)
    raise ConfigError(f"{source} must give the key on one line, without spaces, and nothing else")
