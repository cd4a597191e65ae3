"""The words of the page on which a tap lands, in English and Chinese."""

# ruff: noqa: RUF001 - Chinese has punctuation of its own

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gateway.core.values import Title
from gateway.reports.words import STOP_WORDS

Language = Literal["en", "zh"]

PAGE: Mapping[str, Title] = MappingProxyType(
    {
        "heading": Title("Patrol tap", "巡更打卡"),
        "no_place": Title("No checkpoint", "未识别巡更点"),
        "good": Title("The tag has proven itself", "标签已通过验证"),
        "torn": Title("The tag has proven itself, but its seal is torn", "标签已通过验证，但封条已破坏"),
        "of_device": Title("The tag of equipment, not of a checkpoint", "设备标签，不是巡更点"),
        "label": Title("Label scanned: weak evidence, anybody can copy it", "扫描标签：证据较弱，可被复制"),
        "unknown_code": Title("No checkpoint has this code", "没有该编码的巡更点"),
        "nothing": Title("No tag was read", "未读到标签"),
        "nothing_more": Title(
            "Hold the phone to the tag of a checkpoint, or scan its label.", "请将手机贴近巡更点标签，或扫描标签上的二维码。"
        ),
        "noscript": Title(
            "Nothing was recorded: JavaScript is switched off in this browser. Switch it on and read the tag again, or "
            "tell the control room where you are and when.",
            "尚未记录：此浏览器已关闭 JavaScript。请开启后重新打卡，或将地点和时间告知控制室。",
        ),
        "who": Title("Who are you?", "您是哪位？"),
        "who_more": Title("Asked once, and kept on this phone.", "只询问一次，保存在本手机。"),
        "guard": Title("Guard id", "保安编号"),
        "token": Title("Token, if you were given one", "登录凭证（如有）"),
        "record": Title("Record the tap", "记录打卡"),
        "change": Title("Not you? Change", "不是您？更换"),
        "send_now": Title("Send now", "立即发送"),
        "again": Title("I am here now: record", "我现在在此：记录打卡"),
        "language": Title("中文", "English"),
    }
)  # fmt: skip
"""What stands on the page from the beginning."""

SCRIPT: Mapping[str, Title] = MappingProxyType(
    {
        "you": Title("Guard {guard}", "保安 {guard}"),
        "sending": Title("Sending …", "正在发送……"),
        "counted": Title("Recorded", "已记录"),
        "counts": Title("It counts as evidence, grade {grade}.", "有效打卡，证据等级 {grade}。"),
        "kept": Title("Kept, but it does not count", "已保存，但不计入"),
        "duplicate": Title("Recorded before", "此前已记录"),
        "duplicate_counts": Title("This tap counts already, grade {grade}.", "该打卡已计入，证据等级 {grade}。"),
        "duplicate_kept": Title("This tap was kept and does not count.", "该打卡已保存，不计入。"),
        "refused": Title("Refused", "被拒绝"),
        "refused_more": Title("Tell the control room where you are.", "请告知控制室您的位置。"),
        "queued": Title("Not sent yet", "尚未发送"),
        "queued_more": Title(
            "The tap is kept on this phone and sent as soon as there is a connection, also when you open this page "
            "again. You may walk on.",
            "打卡已保存在本手机，网络恢复后或再次打开本页时自动发送。您可以继续巡更。",
        ),
        "unkept": Title(
            "This browser keeps nothing: leave the page open until the tap is sent.",
            "此浏览器无法保存数据：发送成功前请勿关闭本页。",
        ),
        "who_again": Title("The token was refused. Enter it again.", "登录凭证被拒绝，请重新输入。"),
        "stuck": Title("The gateway did not take it: {words}", "网关未接收：{words}"),
        "answer_odd": Title("the answer did not come from the gateway", "收到的应答并非来自网关"),
        "unreached": Title("no connection", "无网络连接"),
        "waiting": Title("Waiting to be sent: {count}", "待发送：{count}"),
        "old_label": Title(
            "This label was read before. Record only if you stand in front of it now.",
            "该标签此前已扫描。仅当您此刻在现场时才记录。",
        ),
        "made_at": Title("Tapped at {time}", "打卡时间 {time}"),
        "guard_wrong": Title(
            "An id has letters, digits, - and _, 64 at the most.", "编号由字母、数字、- 和 _ 组成，最多 64 个字符。"
        ),
    }
)  # fmt: skip
"""What the script says."""


OUTCOMES: Mapping[str, Title] = MappingProxyType(
    {
        **{name: STOP_WORDS[name] for name in ("on_time", "early", "late", "late_upload")},
        "extra": Title("Beside the round", "额外打卡"),
    }
)
"""What the tap is for its round."""


def language_of(wanted: str | None, accepted: str) -> Language:
    """The language asked for, else the one the browser likes better (RFC 9110, 12.5.4), else English.

    Example:
        >>> language_of(None, "de, zh-CN;q=0.9, en;q=0.8")
        'zh'
    """
    if wanted in ("en", "zh"):
        return "zh" if wanted == "zh" else "en"
    best: Language = "en"
    weight = 0.0
    for part in accepted[:500].split(","):
        name, _, given = part.partition(";")
        primary = name.strip().lower().partition("-")[0]
        if primary in ("zh", "en") and (found := _weight(given)) > weight:
            best, weight = "zh" if primary == "zh" else "en", found
    return best


def _weight(text: str) -> float:
    name, _, value = text.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        found = float(value)
    except ValueError:
        return 0.0
    return found if 0.0 <= found <= 1.0 else 0.0
