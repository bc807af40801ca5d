"""Which platform the environment names: the one place that knows all profiles."""

from __future__ import annotations

from collections.abc import Mapping

from deployment.local import settings
from deployment.local.cluster.platform import Cluster
from deployment.local.cluster.settings import Settings as ClusterSettings
from deployment.local.errors import PlatformError
from deployment.local.profile import Profile, Remembered
from deployment.local.settings import PROFILES, Settings
from deployment.local.single import Single


def from_env(environ: Mapping[str, str]) -> Profile[Remembered]:
    """The platform that the environment names. Raises PlatformError for settings that can't be used."""
    data = settings.data_folder(environ)
    memory, named = settings.remembered(data), environ.get("PLATFORM_PROFILE") or None
    if named not in (None, *PROFILES):
        raise PlatformError(f"PLATFORM_PROFILE is {named!r}: it must be one of {', '.join(PROFILES)}")
    known = memory.get("profile", "single") if memory else named or "single"
    if named and named != known:
        raise PlatformError(f"{data} is a platform of the profile {known}: unset PLATFORM_PROFILE={named}")
    return Cluster(ClusterSettings.from_env(environ)) if known == "cluster" else Single(Settings.from_env(environ))
