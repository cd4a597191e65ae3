"""The demo's words, in English and Chinese."""

from typing import Literal

Language = Literal["en", "zh"]

WORDS: dict[str, tuple[str, str]] = {
    "open": ("open in a browser or with curl", "用浏览器或 curl 打开"),
    "stop": ("Ctrl-C ends it", "按 Ctrl-C 结束"),
    "received": ("messages received", "收到消息"),
    "stored": ("readings stored", "已存读数"),
    "alerts": ("alerts", "报警"),
    "orders": ("work orders", "工单"),
    "refused": ("refused", "拒收"),
    "parts": ("parts", "组件"),
    "latest": ("Latest", "最新动态"),
    "time": ("time", "时间"),
    "device": ("device", "设备"),
    "what": ("what", "事件"),
    "happened": ("", ""),
    "now": ("Alerts now", "当前报警"),
    "since": ("since", "开始"),
    "level": ("level", "级别"),
    "value": ("value", "数值"),
    "state": ("state", "状态"),
    "none": ("none yet", "暂无"),
    "summary": ("Summary", "汇总"),
    "by_kind": ("alerts by device kind", "各类设备报警"),
    "info": ("info", "提示"),
    "warning": ("WARNING", "警告"),
    "critical": ("CRITICAL", "严重"),
    "unacknowledged": ("not acknowledged", "未确认"),
    "acknowledged": ("acknowledged", "已确认"),
    "returned": ("gone, not acknowledged", "已恢复，未确认"),
    "alert.raised": ("alert", "报警"),
    "alert.raised_again": ("alert, again", "再次报警"),
    "alert.repeated": ("and again", "再次触发"),
    "alert.risen": ("got worse", "报警升级"),
    "alert.fallen": ("got better", "报警降级"),
    "alert.cleared": ("gone", "恢复"),
    "alert.condition_gone": ("condition gone, waits for reset", "条件消失，待复位"),
    "work_order.opened": ("work order", "工单"),
    "work_order.breached": ("promised time missed", "超出承诺时限"),
    "device.offline": ("offline", "离线"),
    "device.online": ("online again", "恢复在线"),
    "rejected": ("refused", "拒收"),
}
"""Each word in English and Chinese."""


def word(key: str, language: Language) -> str:
    """The word for a key."""
    return WORDS[key][0 if language == "en" else 1]
