from __future__ import annotations

import pytest

from config.environment import EnvironmentProblem, Reader


def test_networks_takes_addresses_and_networks() -> None:
    reader = Reader({"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,2001:db8::/32"})
    assert reader.networks("TRUSTED_PROXIES") == ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]
    assert Reader({}).networks("TRUSTED_PROXIES") == []


@pytest.mark.parametrize("text", ["nginx", "10.0.0.0/33", "10.0.0.0/8,*"])
def test_networks_names_the_variable(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="TRUSTED_PROXIES: must list addresses"):
        Reader({"TRUSTED_PROXIES": text}).networks("TRUSTED_PROXIES")
