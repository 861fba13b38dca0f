"""Real speech for ears: sentences that espeak-ng reads, and what a room makes of them."""

from __future__ import annotations

import io
import subprocess
import wave
from functools import cache

import numpy as np

from agent.listener.bands import BANDS, BLOCKS_A_SECOND, Powers, band_powers
from agent.listener.comparison import EARLIEST_S, LATEST_S, VERDICT_EACH_S, WINDOW_S, Verdict, compare
from drivers.listener import Room, Samples
from playlists.units import Decibel

RATE = 48_000
LEVEL_DBFS = -20.0
SENTENCES = (
    "Kính mời bà con đến nhà văn hóa thôn lúc mười chín giờ tối nay để họp bàn về việc làm đường. "
    "Đề nghị mỗi hộ cử một người tham dự.",
    "Trung tâm y tế xã thông báo lịch tiêm chủng cho trẻ em dưới năm tuổi vào sáng thứ bảy tuần này.",
    "Cơn bão số bảy đang tiến gần vào bờ, dự kiến sẽ đổ bộ vào đêm nay. Đề nghị bà con không ra khơi.",
    "Công an xã đề nghị bà con nâng cao cảnh giác với các cuộc gọi lừa đảo qua điện thoại.",
)
BEFORE = round(LATEST_S * BLOCKS_A_SECOND)
AFTER = round(-EARLIEST_S * BLOCKS_A_SECOND)
WINDOW = round(WINDOW_S * BLOCKS_A_SECOND)
EACH = round(VERDICT_EACH_S * BLOCKS_A_SECOND)


@cache
def spoken(number: int) -> Samples:
    """A sentence at `LEVEL_DBFS`, after a second of silence."""
    argv = ["espeak-ng", "-v", "vi", "-s", str(140 + 12 * number), "-p", str(35 + 10 * number), "--stdout"]
    data = subprocess.run([*argv, SENTENCES[number]], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        raw = np.frombuffer(file.readframes(10_000_000), dtype="<i2").astype(np.float32)
    at = np.arange(int(len(raw) * RATE / rate)) * rate / RATE
    voice = at_level(np.interp(at, np.arange(len(raw)), raw).astype(np.float32), LEVEL_DBFS)
    return np.concatenate([np.zeros(RATE, dtype=np.float32), voice])


def at_level(samples: Samples, dbfs: float) -> Samples:
    """The samples, at that RMS level."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    return (samples * (10 ** (dbfs / 20) / np.sqrt(2) / rms)).astype(np.float32)


def verdicts(put_out: Samples, came_in: Samples, path_gain_db: float | None = None) -> list[Verdict]:
    """What a listener says, each half second from the first."""
    unknown = np.full((WINDOW + BEFORE, BANDS), np.nan)
    out = np.concatenate([unknown, band_powers(put_out, RATE), np.zeros((AFTER, BANDS))])
    came = np.concatenate([unknown, band_powers(came_in, RATE)])
    gain_db = None if path_gain_db is None else Decibel(path_gain_db)
    return [judged(out, came, end, gain_db) for end in range(len(unknown) + EACH, len(came) + 1, EACH)]


def judged(out: Powers, came: Powers, end: int, gain_db: Decibel | None) -> Verdict:
    """What the window that ends there says."""
    return compare(out[end - WINDOW - BEFORE : end + AFTER], came[end - WINDOW : end], gain_db)


def through(room: Room, number: int, *, over: int | None = None, over_dbfs: float = -40.0) -> Samples:
    """What the microphone hears of a sentence; with `over`, also of another one that is not this node's."""
    heard = room.carry(spoken(number), RATE, 10 + number)
    if over is not None:
        other = np.resize(spoken(over), len(heard))
        heard = (heard + other * 10 ** ((over_dbfs - LEVEL_DBFS) / 20)).astype(np.float32)
    return heard
