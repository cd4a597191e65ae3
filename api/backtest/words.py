"""The words of a backtest, in English and Chinese, and how its numbers are written."""

# ruff: noqa: RUF001 - Chinese has punctuation of its own

from typing import Final, Literal

from api.http.quality_views import FigureView
from gateway.core.values import SECOND, show_duration

Language = Literal["en", "zh"]

NOTHING: Final = "–"

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Backtest", "回测"),
    "subtitle": (
        "What the candidate would have made of recorded traffic, beside the site as it is now",
        "以候选配置重新评判已记录的数据，并与现行配置对比",
    ),
    "site": ("Site", "项目"),
    "window": ("Judged", "评判时段"),
    "fed_from": ("Fed from", "数据起点"),
    "observed": ("Observed", "监测时间"),
    "unobserved": ("Not observed", "未监测"),
    "gaps_listed": ("Times not observed", "未监测时段"),
    "from": ("from", "自"),
    "until": ("to", "至"),
    "took": ("for", "时长"),
    "messages": ("Messages", "消息数"),
    "configuration": ("Site files", "配置摘要"),
    "parameters": ("Parameters that differ", "参数差异"),
    "param": ("parameter", "参数"),
    "profile": ("profile", "设备类型"),
    "was": ("now", "现行"),
    "becomes": ("candidate", "候选"),
    "devices": ("devices", "设备"),
    "all_devices": ("all {}", "全部 {} 台"),
    "no_parameters": ("No parameter differs.", "参数无差异。"),
    "alerts": ("Alerts by rule", "按规则统计报警"),
    "alerts_note": (
        (
            "An alert counts each time it comes up, in brackets those of which nobody was told (suppressed). Moved and level"
            " changed are pairs of the same occurrence; one pair may be both."
        ),
        "报警每次出现计一次；括号内为被抑制（未通知人员）的次数。“移动”与“级别变化”为同一次事件的配对，可同时出现。",
    ),
    "rule": ("rule", "规则"),
    "total": ("all", "合计"),
    "now": ("now", "现行"),
    "candidate": ("candidate", "候选"),
    "same": ("same", "相同"),
    "added": ("added", "新增"),
    "removed": ("removed", "消失"),
    "moved": ("moved", "移动"),
    "level_changed": ("level changed", "级别变化"),
    "hushed": ("kept quiet", "转为抑制"),
    "voiced": ("told now", "转为通知"),
    "changes": ("Every change", "全部变化"),
    "no_changes": ("No alert changes.", "报警无变化。"),
    "time": ("local time", "当地时间"),
    "device": ("device", "设备"),
    "what": ("what", "变化"),
    "level": ("level", "级别"),
    "value": ("value", "数值"),
    "lasted": ("stood for", "持续"),
    "stands": ("stands", "仍持续"),
    "later": ("{} later", "晚 {}"),
    "earlier": ("{} earlier", "早 {}"),
    "out_of_service": ("out of service", "停用"),
    "shelved": ("shelved", "搁置"),
    "by_design": ("by design", "设计抑制"),
    "maintenance": ("maintenance", "维护"),
    "quiet": ("quiet: {}", "抑制：{}"),
    "figures": ("Alert quality", "报警质量"),
    "figure": ("figure", "指标"),
    "target": ("target", "目标"),
    "top": ("The ten most frequent alerts", "最频繁的十个报警点"),
    "rank": ("", ""),
    "impact": ("What people get", "对人员的影响"),
    "orders": ("work orders opened", "新开工单"),
    "orders_more": ("work orders opened in addition", "额外新开工单"),
    "orders_fewer": ("work orders not opened any more", "不再新开工单"),
    "breaches": ("service levels missed", "服务时限超时"),
    "notices": ("notices sent", "已发通知"),
    "busiest": ("notices in the busiest shift", "最忙班次通知数"),
    "to": ("notices to {}", "发往 {} 的通知"),
    "round": ("rounds {}", "巡更轮次 {}"),
    "tap": ("taps {}", "打卡 {}"),
    "rejected": ("refused: {}", "拒收：{}"),
    "order_changes": ("Work orders that change", "变化的工单"),
    "template": ("template", "模板"),
    "budgets": ("Budgets", "预算"),
    "budget": ("budget", "预算"),
    "found": ("found", "实际"),
    "allowed": ("allowed", "上限"),
    "kept": ("kept", "符合"),
    "broken": ("BROKEN", "超出"),
    "doubted": ("BROKEN: the result is partial", "超出：结果不完整"),
    "notes": ("What this does not know", "未知与限制"),
    "partial": (
        "PARTIAL: {} lines could not be read; what was in them is not judged.",
        "结果不完整：{} 行无法读取，其内容未参与评判。",
    ),
    "cold": (
        "Nothing was fed before the window: alerts that stood at its beginning are counted as coming up in it.",
        "时段之前没有数据：时段开始时已存在的报警计为时段内出现。",
    ),
    "before": (
        "What was before {} is unknown: conditions that ran, shelves, parameters tuned at run time.",
        "{} 之前的状态未知：正在计时的条件、搁置、运行中调整的参数。",
    ),
    "gaps": (
        "For {} nobody observed anything. What would have happened is unknown; this time is left out of rates.",
        "共有 {} 无人监测，其间情况未知，不计入比率。",
    ),
    "passed_over": (
        "The recording holds {} other configurations; they were passed over, all of it is judged by the two sites.",
        "记录中有 {} 个其他配置，均已略过；全部数据按两份配置评判。",
    ),
    "tuned": (
        "Parameters were changed {} times at run time in the recording; that is in force in both runs, over the files.",
        "记录中有 {} 次运行时参数调整，对两次评判均生效，优先于文件。",
    ),
    "commands": (
        (
            "Operators' commands that met another record of the same device and rule: {}; dropped, as there was none: {}"
            " (site now: {} and {})."
        ),
        "操作命令中，{} 条改用于同一设备同一规则的记录，{} 条无对应记录而略去（现行配置：{} 条、{} 条）。",
    ),
    "people": (
        "People do as they did: nobody acknowledges an added alert, and nobody closes an added order.",
        "人员操作保持原样：新增报警无人确认，新增工单无人处理。",
    ),
    "chart_days": ("Alerts a day", "每日报警数"),
    "chart_rules": ("Added and removed, by rule", "各规则新增与消失"),
    "chart_shifts": ("Notices a shift", "每班通知数"),
    "hollow": (
        "A day or shift of which nothing was observed has no bar; it is not zero.",
        "完全未监测的日期或班次没有柱形，并非为零。",
    ),
    "left_out": ("and {} more; --json has all", "另有 {} 条，见 --json"),
    "made": ("Made by fgw backtest", "由 fgw backtest 生成"),
}
"""Each word in English and Chinese."""

BUDGETS: Final[dict[str, tuple[str, str]]] = {
    "added": ("alerts added", "新增报警"),
    "removed": ("alerts removed", "消失报警"),
    "moved": ("alerts moved", "移动报警"),
    "level_changed": ("levels changed", "级别变化"),
    "per_hour": ("announced in an observed hour", "每监测小时报警"),
    "notices_per_shift": ("notices in the busiest shift", "最忙班次通知数"),
    "flood_share": ("percent of the time in flood", "报警泛滥时间百分比"),
    "work_orders": ("work orders in addition", "额外工单"),
}


def word(key: str, language: Language) -> str:
    """The word for a key."""
    return WORDS[key][0 if language == "en" else 1]


def figure_value(figure: FigureView) -> str:
    """A figure of alert quality as it is read; a dash where nothing can be said."""
    if figure.value is None:
        return NOTHING
    match figure.unit:
        case "share":
            floods = f" ({figure.count})" if figure.name == "flood_share" and figure.count else ""
            return f"{figure.value * 100:.2f} %{floods}"
        case "seconds":
            return duration(figure.value)
    return f"{figure.value:.3f}" if figure.value % 1 else f"{figure.value:.0f}"


def duration(seconds: float) -> str:
    """So many seconds, to the second where they are many."""
    return show_duration(round(seconds) * SECOND if seconds >= 1 else round(seconds * SECOND))
