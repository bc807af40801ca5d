"""Where the values of secrets come from. --secrets_provider names these classes: the names are contract."""

import os
from typing import Any


class SecretsProvider:
    """Base of providers; one of your own needs these two methods and a constructor without arguments."""

    def init(self, config: Any) -> None:
        """Called once with the JSON of --secrets_provider_config, or None."""

    def provide_secret(self, secret_name: str, path_to_secret: Any) -> Any:
        """The value of `secret_name`; `path_to_secret` is what the function's configuration says of it."""
        raise NotImplementedError


class ClearTextSecretsProvider(SecretsProvider):
    """The configuration holds the value itself."""

    def provide_secret(self, secret_name: str, path_to_secret: Any) -> Any:
        return path_to_secret


class EnvironmentBasedSecretsProvider(SecretsProvider):
    """The environment variable called like the secret holds the value."""

    def provide_secret(self, secret_name: str, path_to_secret: Any) -> Any:
        return os.environ.get(secret_name)
