"""What is shipped for running it for real: generated files are current and speak of metrics that exist."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import Counter, Histogram

from mexc_sniper import telemetry
from mexc_sniper.app import dashboards
from mexc_sniper.app.secrets import read_secret_file
from mexc_sniper.app.settings_load import env_name, setting_names
from mexc_sniper.core.errors import ConfigError, InvariantError

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
OF_PROMETHEUS = {"up"}
FUNCTIONS = {"sum", "max", "rate", "increase", "histogram_quantile", "by", "abs", "absent", "and", "on", "or", "job"}


def exposed() -> set[str]:
    """Every name of a series that ``/metrics`` can hold."""
    found = {telemetry.ENGINE_UP}
    for value in vars(telemetry).values():
        name = dashboards.declared().get(id(value))
        if name is not None:
            found.add(f"{name}_total" if isinstance(value, Counter) else name)
            if isinstance(value, Histogram):
                found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found


def series_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)', "", expression)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - FUNCTIONS - OF_PROMETHEUS


def expressions() -> list[str]:
    board = json.loads((DEPLOY / "grafana" / "mexc-sniper.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    rules = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    return found + [json.loads(line.partition("expr: ")[2]) for line in rules.splitlines() if "expr: " in line]


def test_generated_files_are_current(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert dashboards.main(["--check"]) == 0


def test_every_series_that_is_asked_for_exists():
    known = exposed()
    for expression in expressions():
        asked = series_in(expression)
        assert asked <= known, expression
        assert asked or "up{" in expression, expression


def test_every_metric_of_the_program_is_on_the_dashboard():
    shown = set().union(*(series_in(expression) for expression in expressions()))
    missing = [name for name in dashboards.declared().values() if not any(series.startswith(name) for series in shown)]
    assert missing == []


def test_a_metric_or_label_that_does_not_exist_cannot_be_asked_for():
    with pytest.raises(InvariantError):
        dashboards.rate(Counter("stranger", "Not ours.", registry=None))
    with pytest.raises(InvariantError, match="nothing"):
        dashboards.rate(telemetry.TRADES, "nothing")


def test_rules_are_yaml_with_a_summary_each():
    yaml = pytest.importorskip("yaml")
    [group] = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"]) == len(list(dashboards.alerts()))
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "warn"}


UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "ProtectHome=yes", "PrivateDevices=yes",
    "LimitCORE=0", "UMask=0077", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "CapabilityBoundingSet=",
    "SystemCallFilter=@system-service", "MemoryDenyWriteExecute=yes", "RestartPreventExitStatus=2",
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_systemd_understands_them(unit: Path, tmp_path: Path):
    lines = set(unit.read_text().splitlines())
    assert lines >= HARDENED, HARDENED - lines
    assert any(line.startswith("MemoryMax=") for line in lines)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    program = tmp_path / "mexc-sniper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = unit.read_text().replace("/opt/mexc-sniper/.venv/bin/mexc-sniper", str(program))
    copy = tmp_path / unit.name.replace("@", "@engine" if "@" in unit.name else "")
    copy.write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    ).stderr  # fmt: skip
    assert copy.name not in said, said


def known_variables(text: str) -> None:
    known = {env_name(name) for name in setting_names()}
    for variable in re.findall(r"MEXC_SNIPER_[A-Z_]+", text):
        named = variable in known or variable.startswith("MEXC_SNIPER_NOTIFY__CHANNELS__")
        assert named or variable in {"MEXC_SNIPER_CONFIG"}, variable


@pytest.mark.parametrize("path", sorted(path for path in DEPLOY.rglob("*") if path.is_file()), ids=lambda p: p.name)
def test_files_name_only_settings_that_exist_and_hold_no_secret(path: Path):
    text = path.read_text()
    known_variables(text)
    assert not re.search(r"(?i)(password|secret|token)\s*[:=]\s*['\"]?[a-z0-9]{8,}", text)


def test_compose_publishes_on_loopback_alone_and_pins_what_it_takes():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text())
    services = compose["services"]
    assert set(services) == {"engine", "web", "notify", "postgres"}
    for name, service in services.items():
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (name, port)
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("cap_drop") == ["ALL"] or name == "postgres"
        assert service.get("read_only") or name == "postgres"
        if "image" in service:
            assert re.search(r":\d", service["image"]), "a version, never latest"
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"]
    live = yaml.safe_load((DEPLOY / "compose.live.yml").read_text())
    for name, service in (*services.items(), *live["services"].items()):
        keys = {"api-key", "api-secret"} & set(service.get("secrets", []))
        assert bool(keys) is (service is live["services"]["engine"]), name
    assert set(live["services"]["engine"]["secrets"]) == {"database-url", *live["secrets"]}


def test_dockerfile_pins_its_base_and_installs_by_hash_as_nobody():
    text = (DEPLOY / "Dockerfile").read_text()
    for line in text.splitlines():
        if line.startswith("FROM"):
            assert re.search(r"FROM \S+:\d+\.\d+\.\d+-\S+", line), line
    assert "--require-hashes" in text
    assert re.search(r"^USER \d+", text, re.MULTILINE)
    assert "ADD http" not in text


def test_a_credential_of_systemd_may_show_its_access_list_as_a_group_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    credential = tmp_path / "api-key"
    credential.write_text("the-key-of-this-test")
    credential.chmod(0o440)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret_file(credential, named_by="x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret_file(credential, named_by="x") == "the-key-of-this-test"
    credential.chmod(0o444)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret_file(credential, named_by="x")
