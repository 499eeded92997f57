"""Fault is a share with an interval: cited rules move it, missing evidence widens it, and it is never constant."""

from __future__ import annotations

import pytest

from aiassist.assessment.fault import fault_opinion
from aiassist.assessment.jurisdictions import DEFAULT, SOURCES, RuleCode, source_of
from aiassist.types import FaultOpinion, HazardKind, Measurements, Scenario
from tests.aiassist.assessment.cases import calm, crash, growth_signal, hazard, with_features


def judge(measured: Measurements, jurisdiction: str | None = "DE") -> FaultOpinion:
    return fault_opinion(measured, jurisdiction=jurisdiction)


def codes(opinion: FaultOpinion) -> list[str]:
    return [rule.code for rule in opinion.rules]


def struck_from_behind() -> Measurements:
    return with_features(crash(), growth_before_impact=0.05, impact_speed_change_ratio=0.3)


def test_striking_the_vehicle_ahead_puts_most_of_the_share_on_the_insured() -> None:
    opinion = judge(crash())
    assert opinion.scenario is Scenario.REAR_END
    assert opinion.rules[0].source == "StVO §4 Abs. 1"
    assert 75.0 < opinion.ratio_pct <= 95.0
    assert opinion.low_pct < opinion.ratio_pct <= opinion.high_pct


def test_being_struck_from_behind_puts_little_on_the_insured() -> None:
    opinion = judge(struck_from_behind())
    assert opinion.scenario is Scenario.REAR_ENDED
    assert opinion.ratio_pct < 30.0


def test_own_hard_braking_before_being_struck_counts() -> None:
    braked = struck_from_behind()
    with_brake = crash(
        features=braked.features, hazards=(hazard(HazardKind.HARD_BRAKE, 3.5), hazard(HazardKind.IMPACT, 5.0))
    )
    assert codes(judge(with_brake)) == ["struck_from_behind", "own_sudden_braking"]
    assert judge(with_brake).ratio_pct == pytest.approx(judge(braked).ratio_pct + 20.0)


def test_braking_long_before_the_impact_was_another_event() -> None:
    early = crash(hazards=(hazard(HazardKind.HARD_BRAKE, 0.5), hazard(HazardKind.IMPACT, 5.0)))
    assert "reacted" not in codes(judge(early))


def test_a_loss_of_speed_that_may_be_the_impact_itself_is_no_braking() -> None:
    late = crash(hazards=(hazard(HazardKind.HARD_BRAKE, 4.4, lasts=1.9), hazard(HazardKind.IMPACT, 5.0)))
    assert "reacted" not in codes(judge(late))
    heard = crash(hazards=(hazard(HazardKind.SKID, 4.4), hazard(HazardKind.IMPACT, 5.0)))
    assert "reacted" in codes(judge(heard))


def test_without_a_detector_a_short_approach_says_nothing() -> None:
    blind = crash(signals=(growth_signal(seen_for=0.5),), degraded=("detector_weights",))
    assert codes(judge(blind)) == ["keep_distance"]


def test_a_blow_that_takes_all_speed_came_from_ahead_even_if_nothing_was_seen() -> None:
    unseen = with_features(crash(), growth_before_impact=0.1, impact_speed_change_ratio=-1.0)
    assert judge(unseen).scenario is Scenario.REAR_END
    assert judge(unseen).ratio_pct < judge(crash()).ratio_pct
    assert judge(unseen).low_pct < judge(crash()).low_pct


def test_a_short_approach_speaks_for_sudden_braking_ahead() -> None:
    sudden = judge(crash(signals=(growth_signal(seen_for=0.5),)))
    slow = judge(crash(signals=(growth_signal(seen_for=3.0),)))
    assert "sudden_braking_ahead" in codes(sudden)
    assert "no_reaction" in codes(slow)
    assert sudden.ratio_pct < slow.ratio_pct


def test_a_jolt_from_the_side_leaves_the_share_open() -> None:
    measured = with_features(
        crash(),
        growth_before_impact=0.0,
        impact_speed_change_ratio=-0.1,
        impact_vertical_share=0.1,
        impact_roll_share=0.05,
    )
    opinion = judge(measured)
    assert opinion.scenario is Scenario.SIDE_IMPACT
    assert opinion.high_pct - opinion.low_pct >= 70.0


def test_an_impact_from_nowhere_is_unknown_and_open() -> None:
    measured = with_features(
        crash(), growth_before_impact=0.0, impact_speed_change_ratio=0.0, impact_vertical_share=0.85
    )
    opinion = judge(measured)
    assert (opinion.scenario, opinion.low_pct, opinion.high_pct) == (Scenario.UNKNOWN, 0.0, 100.0)


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [(HazardKind.IMPACT_THIRD_PARTY, Scenario.THIRD_PARTY), (HazardKind.NEAR_MISS, Scenario.NEAR_MISS)],
)
def test_without_contact_there_is_next_to_no_share(kind: HazardKind, scenario: Scenario) -> None:
    opinion = judge(crash(hazards=(hazard(kind),)))
    assert opinion.scenario is scenario
    assert opinion.ratio_pct <= 10.0
    assert opinion.high_pct < 50.0


def test_a_calm_video_says_nothing_about_fault() -> None:
    opinion = judge(calm())
    assert (opinion.scenario, opinion.low_pct, opinion.high_pct) == (Scenario.NO_EVENT, 0.0, 100.0)


def test_detector_weights_change_no_interval_while_no_rule_reads_their_tracks() -> None:
    assert judge(struck_from_behind()) == judge(
        crash(features=struck_from_behind().features, degraded=("detector_weights",))
    )


@pytest.mark.parametrize("missing", ["audio_track", "telemetry", "damaged_stream"])
def test_every_missing_measurement_widens_the_interval(missing: str) -> None:
    whole, part = judge(struck_from_behind()), judge(crash(features=struck_from_behind().features, degraded=(missing,)))
    assert part.high_pct > whole.high_pct
    assert part.ratio_pct == whole.ratio_pct


def test_an_unmeasured_cue_widens_the_interval() -> None:
    features = {name: value for name, value in crash().features.items() if name != "impact_roll_share"}
    assert judge(crash(features=features)).low_pct < judge(crash()).low_pct


def test_a_speed_that_could_not_be_told_is_no_cue() -> None:
    blind = with_features(struck_from_behind(), speed_known=0.0)
    assert judge(blind).scenario is not Scenario.REAR_ENDED
    assert judge(with_features(blind, speed_known=1.0)).scenario is Scenario.REAR_ENDED


def test_a_surer_impact_moves_the_share_further() -> None:
    unsure = judge(crash(hazards=(hazard(HazardKind.IMPACT, score=0.5),)))
    sure = judge(crash(hazards=(hazard(HazardKind.IMPACT, score=0.95),)))
    assert unsure.ratio_pct < sure.ratio_pct
    assert unsure.high_pct - unsure.ratio_pct >= 0
    assert unsure.ratio_pct - unsure.low_pct > sure.ratio_pct - sure.low_pct


@pytest.mark.parametrize(
    ("jurisdiction", "source"),
    [
        ("DE", "StVO §4 Abs. 1"),
        ("de-by", "StVO §4 Abs. 1"),
        ("GB", "Highway Code rule 126"),
        ("FR", "Vienna Convention 1968 Art. 13(3) (since 1993 Art. 13(5))"),
        (None, "Vienna Convention 1968 Art. 13(3) (since 1993 Art. 13(5))"),
    ],
)
def test_source_of_cites_the_law_of_the_place(jurisdiction: str | None, source: str) -> None:
    assert source_of(RuleCode.KEEP_DISTANCE, jurisdiction) == source


def test_every_jurisdiction_cites_every_rule() -> None:
    for table in (DEFAULT, *SOURCES.values()):
        assert set(table) == set(RuleCode)
