from __future__ import annotations

import pytest

from agent.screen.theme import ALARMS, DRILL, INK, THEMES, WHITE, Colour, contrast, sizes_for

LEGIBLE = 4.5  # WCAG 2.2, 1.4.3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def pairs() -> list[tuple[str, Colour, Colour]]:
    found = []
    for name, theme in THEMES.items():
        found += [(f"{name} text", theme.text, theme.surface), (f"{name} muted", theme.muted, theme.surface)]
        for class_ in ("routine", "priority", "emergency"):
            found.append((f"{name} {class_}", theme.accents[class_], theme.surface))
            found.append((f"{name} on {class_}", theme.on_accents[class_], theme.accents[class_]))
    for name, alarm in [*ALARMS.items(), ("drill", DRILL)]:
        found += [(f"{name} text", alarm.text, alarm.ground), (f"{name} muted", alarm.muted, alarm.ground)]
        found.append((f"{name} mark", alarm.on_mark, alarm.mark))
    return found


@pytest.mark.parametrize(("what", "one", "other"), pairs())
def test_all_text_is_legible_on_its_ground(what: str, one: Colour, other: Colour) -> None:
    assert contrast(one, other) >= LEGIBLE, what


def test_the_classes_differ_from_each_other_and_a_drill_is_not_red() -> None:
    for theme in THEMES.values():
        assert len(set(theme.accents.values())) == 3
    red, green, blue = DRILL.ground
    assert red < green < blue
    assert WHITE != INK


@pytest.mark.parametrize("screen", [(1920, 1080), (3840, 2160), (1080, 1920), (800, 480)])
def test_the_type_scale_descends_to_its_floor(screen: tuple[int, int]) -> None:
    sizes = sizes_for(*screen)
    steps = sizes.steps(sizes.heading_top)
    assert steps == sorted(set(steps), reverse=True)
    assert steps[-1] == sizes.floor
    assert all(size < sizes.floor for size in sizes.below_floor())
