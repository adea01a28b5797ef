"""Dialogs: cards over the screen, data in and a result out; the streams below go on."""
