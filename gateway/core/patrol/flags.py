"""Every word that can stand beside a tap: what it means to a person, and whether the tap counts all the same."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gateway.core.values import Title


class Flag(NamedTuple):
    """One of them."""

    counts: bool
    """Whether a tap with it is still evidence."""
    title: Title


FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        # not what it says it is
        "forged": Flag(False, Title("the tag's signature is wrong, or it is the tag of another site", "标签签名不符，或为其他项目的标签")),
        "lrp": Flag(False, Title("the tag is in LRP mode, which is not supported; write it in AES mode", "标签为 LRP 模式，暂不支持，请改写为 AES 模式")),
        "malformed_url": Flag(False, Title("the tag's address cannot be read", "标签网址无法解析")),
        "no_key": Flag(False, Title("it cannot be verified: the gateway has no tag key", "无法验证：网关未配置标签密钥")),
        "replay_suspected": Flag(False, Title("an old tap sent again: counter and time contradict other taps", "疑似重放：计数与时间同其他打卡矛盾")),
        "old_epoch": Flag(False, Title("made with keys that were replaced before", "使用了已更换的旧密钥")),
        "unknown_tag": Flag(False, Title("nobody registered this tag", "标签未登记")),
        "retired_tag": Flag(False, Title("the tag was retired before", "标签已停用")),
        "seal_missing": Flag(False, Title("a tag that can prove itself was named without its proof", "加密标签未附验证信息")),
        "tampered": Flag(True, Title("the tag reports that its seal was torn", "标签封条已破坏")),
        # not by whom it says
        "unknown_guard": Flag(True, Title("nobody knows this guard", "保安编号未登记")),
        "other_guard": Flag(False, Title("uploaded with the token of another guard", "使用了他人的登录凭证上传")),
        # not when it says
        "time_impossible": Flag(False, Title("its time cannot be", "打卡时间不可能")),
        "clock_wrong": Flag(True, Title("the device's clock was far off; the time is corrected", "设备时钟偏差大，时间已校正")),
        "clock_jump": Flag(True, Title("the device's clock went back between two taps", "两次打卡之间设备时钟倒退")),
        "clock_suspect": Flag(True, Title("made before the device was last heard empty, by its own clock", "按设备时钟早于其上次清空上传")),
        # too late, or too weak
        "too_late": Flag(False, Title("uploaded after its round was closed", "上传时本轮已关闭")),
        "late_upload": Flag(True, Title("uploaded after its round was judged", "本轮判定后补传")),
        "too_weak": Flag(False, Title("weaker evidence than its route accepts", "证据等级低于路线要求")),
        "unapproved": Flag(False, Title("a make-up that no supervisor has approved", "补巡未经主管批准")),
        "rejected": Flag(False, Title("a supervisor rejected it", "主管已驳回")),
        # odd, and told
        "id_reused": Flag(True, Title("another tap came under the same id before", "该编号此前已用于另一次打卡")),
        "voluntary": Flag(True, Title("belongs to no round that was due", "不属于任何应巡轮次")),
    }
)  # fmt: skip
"""In the order in which they are told."""


def in_order(flags: Iterable[str]) -> list[str]:
    """Each once, in the order of the table."""
    given = set(flags)
    return [name for name in FLAGS if name in given] if given else []


def count(flags: Iterable[str]) -> bool:
    """Whether a tap with these is evidence."""
    return all(FLAGS[name].counts for name in flags)
