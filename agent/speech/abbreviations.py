"""Abbreviations and units of Vietnamese notices, and what is said for them."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, str]] = {
    # authorities and organisations
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "UBMTTQ": "ủy ban mặt trận tổ quốc",
    "MTTQ": "mặt trận tổ quốc",
    "ĐBQH": "đại biểu quốc hội",
    "BCH": "ban chấp hành",
    "BCĐ": "ban chỉ đạo",
    "BTC": "ban tổ chức",
    "CSGT": "cảnh sát giao thông",
    "CAND": "công an nhân dân",
    "QĐND": "quân đội nhân dân",
    "HTX": "hợp tác xã",
    "LHPN": "liên hiệp phụ nữ",
    "TNCS": "thanh niên cộng sản",
    "CCB": "cựu chiến binh",
    "TYT": "trạm y tế",
    "NHCSXH": "ngân hàng chính sách xã hội",
    "GD&ĐT": "giáo dục và đào tạo",
    "GDĐT": "giáo dục đào tạo",
    "NN&PTNT": "nông nghiệp và phát triển nông thôn",
    "NN&MT": "nông nghiệp và môi trường",
    "TN&MT": "tài nguyên và môi trường",
    "GTVT": "giao thông vận tải",
    "VH-TT": "văn hóa thể thao",
    "TDTT": "thể dục thể thao",
    # schools
    "THCS": "trung học cơ sở",
    "THPT": "trung học phổ thông",
    "GDTX": "giáo dục thường xuyên",
    # papers
    "CCCD": "căn cước công dân",
    "CMND": "chứng minh nhân dân",
    "BHYT": "bảo hiểm y tế",
    "BHXH": "bảo hiểm xã hội",
    "BHTN": "bảo hiểm thất nghiệp",
    "GPLX": "giấy phép lái xe",
    "TTHC": "thủ tục hành chính",
    "DVC": "dịch vụ công",
    "QĐ": "quyết định",
    "NĐ": "nghị định",
    "NQ": "nghị quyết",
    "SĐT": "số điện thoại",
    "ĐT": "điện thoại",
    "STT": "số thứ tự",
    # life of a commune
    "PCCC": "phòng cháy chữa cháy",
    "CNCH": "cứu nạn cứu hộ",
    "PCTT": "phòng chống thiên tai",
    "TKCN": "tìm kiếm cứu nạn",
    "ATTP": "an toàn thực phẩm",
    "VSATTP": "vệ sinh an toàn thực phẩm",
    "ATGT": "an toàn giao thông",
    "TNGT": "tai nạn giao thông",
    "ANTT": "an ninh trật tự",
    "NVQS": "nghĩa vụ quân sự",
    "NTM": "nông thôn mới",
    "KHHGĐ": "kế hoạch hóa gia đình",
    "DTTS": "dân tộc thiểu số",
    "CNTT": "công nghệ thông tin",
    "KT-XH": "kinh tế xã hội",
    "VN": "Việt Nam",
    # places
    "TP": "thành phố",
    "TPHCM": "thành phố Hồ Chí Minh",
    "HCM": "Hồ Chí Minh",
    "KDC": "khu dân cư",
    "NVH": "nhà văn hóa",
    "QL": "quốc lộ",
    "TL": "tỉnh lộ",
}

DOTTED: Final[dict[str, str]] = {
    "TP": "thành phố",
    "Tp": "thành phố",
    "TX": "thị xã",
    "P": "phường",
    "Q": "quận",
    "GS": "giáo sư",
    "PGS": "phó giáo sư",
    "TS": "tiến sĩ",
    "ThS": "thạc sĩ",
    "BS": "bác sĩ",
    "KP": "khu phố",
}
"""With a dot behind them and a name after it."""

SPELLED: Final = frozenset({"OTP", "VOV", "ATM", "USB", "QR", "HIV", "VAT", "USD", "GPS"})
"""They have a vowel, and are spelled all the same."""

LETTERS: Final[dict[str, str]] = {
    "A": "a", "B": "bê", "C": "xê", "D": "dê", "Đ": "đê", "E": "e", "F": "ép", "G": "giê", "H": "hát",
    "I": "i", "J": "gi", "K": "ca", "L": "e lờ", "M": "em mờ", "N": "en nờ", "O": "ô", "P": "pê", "Q": "quy",
    "R": "e rờ", "S": "ét", "T": "tê", "U": "u", "V": "vê", "W": "vê kép", "X": "ích", "Y": "i", "Z": "dét",
}  # fmt: skip

UNITS: Final[dict[str, str]] = {
    "km²": "ki lô mét vuông", "km2": "ki lô mét vuông", "km": "ki lô mét",
    "m²": "mét vuông", "m2": "mét vuông", "m³": "mét khối", "m3": "mét khối", "m": "mét",
    "dm": "đề xi mét", "cm²": "xen ti mét vuông", "cm2": "xen ti mét vuông", "cm": "xen ti mét",
    "mmHg": "mi li mét thủy ngân", "mm": "mi li mét", "ha": "héc ta",
    "kg": "ki lô gam", "mg": "mi li gam", "g": "gam",
    "ml": "mi li lít", "l": "lít", "lít": "lít",
    "°C": "độ xê", "ºC": "độ xê", "℃": "độ xê", "oC": "độ xê", "°F": "độ ép", "°": "độ", "º": "độ",
    "%": "phần trăm", "‰": "phần nghìn",
    "kV": "ki lô vôn", "V": "vôn", "kWh": "ki lô oát giờ", "kW": "ki lô oát", "MW": "mê ga oát", "W": "oát",
    "kHz": "ki lô héc", "MHz": "mê ga héc", "Hz": "héc", "dB": "đề xi ben",
    "GB": "gi ga bai", "MB": "mê ga bai",
    "h": "giờ", "s": "giây",
    "đồng": "đồng", "VNĐ": "đồng", "VND": "đồng", "vnđ": "đồng", "đ": "đồng", "USD": "đô la Mỹ", "tr": "triệu",
}  # fmt: skip
"""What may stand right behind a number; upper and lower case differ."""

MONEY: Final = frozenset({"đồng", "VNĐ", "VND", "vnđ", "đ", "USD"})

AFTER_SLASH: Final[dict[str, str]] = {
    **UNITS,
    "giờ": "giờ", "ngày": "ngày", "tháng": "tháng", "năm": "năm", "phút": "phút", "người": "người",
    "hộ": "hộ", "tấn": "tấn", "tạ": "tạ", "cân": "cân", "con": "con", "suất": "suất", "lượt": "lượt",
    "sào": "sào", "khẩu": "khẩu", "em": "em", "cháu": "cháu",
}  # fmt: skip
