"""Lays out everything that a new command topic needs, as a working function that changes nothing yet."""
