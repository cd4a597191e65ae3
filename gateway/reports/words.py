"""The words of what is printed, in English and Chinese, and how times, durations and shares are written."""

from datetime import datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from gateway.core.patrol.flags import FLAGS
from gateway.core.places import Checkpoint
from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Title

Language = Literal["en", "zh"]

ROUND_WORDS: Final = {
    "due": Title("Due", "应巡"),
    "complete": Title("Complete", "完成"),
    "doubtful": Title("Doubtful", "存疑"),
    "incomplete": Title("Incomplete", "未完成"),
    "unknown": Title("Unknown", "无法判定"),
    "cancelled": Title("Cancelled", "取消"),
    "pending": Title("Still open", "进行中"),
}
STOP_WORDS: Final = {
    "due": Title("Due", "应到"),
    "on_time": Title("On time", "准时"),
    "early": Title("Early", "早到"),
    "late": Title("Late", "迟到"),
    "late_upload": Title("Late upload", "补传"),
    "made_up": Title("Made up", "补巡"),
    "skipped": Title("Skipped", "免检"),
    "missed": Title("Missed", "漏检"),
    "unknown": Title("Unknown", "无法判定"),
    "cancelled": Title("Cancelled", "取消"),
    "pending": Title("Still open", "进行中"),
}
KINDS: Final = {
    **{name: STOP_WORDS[name] for name in ("early", "late", "late_upload", "made_up", "skipped", "missed")},
    "unknown": Title("Unknown", "无法判定"),
    "cancelled": Title("Round cancelled", "本轮取消"),
    "out_of_order": Title("Out of order", "顺序不符"),
    "too_fast": Title("Leg too fast", "行程过快"),
    "too_slow": Title("Leg too slow", "行程过慢"),
    "two_devices": Title("Two devices with the same taps", "两台设备打卡雷同"),
    "one_person": Title("Only one of two persons", "双人巡更仅到一人"),
}
"""What an exception is called; the flags of a tap have titles of their own."""
KIND_NOTES: Final = {
    "early": Title("{took} before it opened", "提前{took}"),
    "late": Title("{took} after it closed", "超时{took}"),
    "late_upload": Title("uploaded {took} after it was made", "打卡后{took}上传"),
    "too_fast": Title("{took}; at least {limit} are needed", "用时{took}，至少需{limit}"),
    "too_slow": Title("{took}; at most {limit} are expected", "用时{took}，至多{limit}"),
}
GRADE_WORDS: Final = {
    "A": Title("Cryptographic tag, uploaded at once.", "加密标签，即时上传。"),
    "B": Title(
        "Cryptographic tag, uploaded late; its time is bounded by the counter of the tag.",
        "加密标签，延后上传；时间由标签计数约束。",
    ),
    "C": Title("Plain tag id: it can be copied.", "普通标签编号：可被复制。"),
    "D": Title(
        "QR code or typed in: it can be photographed or passed on.", "二维码或手工输入：可被拍照或转告。"
    ),
}
UNTOLD: Final = Title("no reason is recorded", "未记录原因")

REPORT: Final = Title("Patrol report", "巡更报告")
SITE: Final = Title("Site", "项目")
MONTH: Final = Title("Month", "月份")
PERIOD: Final = Title("Period", "统计时段")
MADE: Final = Title("Made at", "生成时间")
ZONE: Final = Title("Time zone", "时区")
SITE_DIGEST: Final = Title("Site file", "项目配置摘要")
EVIDENCE: Final = Title("Evidence (SHA-256)", "证据摘要 (SHA-256)")
FROM_TO: Final = Title("{} to {}", "{} 至 {}")
PAGE: Final = Title("Page {} of {}", "第 {} 页，共 {} 页")

SUMMARY: Final = Title("Summary", "概况")
ROUNDS: Final = Title("Rounds", "巡更轮次")
STOPS: Final = Title("Stops", "巡更点次")
COMPLETION: Final = Title("Completion", "完成率")
COMPLETION_IS: Final = Title("Completion: {} ({} of {} stops).", "完成率：{}（{} / {} 点次）。")
NO_COMPLETION: Final = Title(
    "Completion cannot be given: no stop was expected.", "无法给出完成率：没有应到点次。"
)
DEFINITION: Final = Title(
    "Stops visited (on time, early, late, late upload) of those due, less skipped and cancelled. Made-up and unknown"
    " stops are not counted as kept.",
    "到点次数（准时、早到、迟到、补传）除以应到点次（不含免检和取消）。补巡与无法判定的点次不计为完成。",
)
NOT_BEGUN: Final = Title(
    "The period has not begun; there is nothing to report yet.", "统计时段尚未开始，暂无数据。"
)
RUNNING: Final = Title(
    "The period is not over. The figures are those known at {}; they may still change.",
    "统计时段尚未结束。数据截至 {}，仍可能变化。",
)
OPEN_ROUNDS: Final = Title(
    "Rounds still open: {}, with {} stops. They are not counted as due.",
    "进行中的轮次：{}，含 {} 个点次，尚不计入应巡。",
)
NO_ROUTES: Final = Title("No patrol routes are set up at this site.", "本项目未设置巡更路线。")
NO_CHECKPOINTS: Final = Title("No checkpoints are set up at this site.", "本项目未设置巡更点。")
NO_ROUNDS: Final = Title("No round was due in this period.", "本时段没有应巡轮次。")

PROOF: Final = Title("Evidence", "证据质量")
GRADE: Final = Title("Grade", "等级")
MEANING: Final = Title("What it means", "含义")
TAPS: Final = Title("Taps", "打卡数")
SHARE: Final = Title("Share", "占比")
LATE_SYNC: Final = Title(
    "Late sync: {} of {} taps that count were received more than 60 s after they were made ({}).",
    "延迟上传：{} / {} 次有效打卡在打卡 60 秒后才收到（{}）。",
)
NO_TAPS: Final = Title("No tap of this period counts as evidence.", "本时段没有有效打卡。")
PROVES: Final = Title(
    "What it proves is contact with the tag, not who tapped.", "其证明的是与标签的接触，而非打卡人身份。"
)

BY_ROUTE: Final = Title("By route", "按路线")
ROUTE: Final = Title("Route", "路线")
BY_CHECKPOINT: Final = Title("By checkpoint", "按巡更点")
CHECKPOINT: Final = Title("Checkpoint", "巡更点")
VISITS: Final = Title("Visits", "到点")
LONGEST: Final = Title("Largest gap", "最长间隔")
FROM: Final = Title("From", "自")
TO: Final = Title("To", "至")
COVERAGE: Final = Title("Coverage limit", "间隔上限")
NO_PROOF: Final = Title("no proof in the period", "本时段无打卡记录")
OF_IT_UNOBSERVED: Final = Title("of it {} not observed", "其中{}未监测")
WITHIN: Final = Title("{}: kept", "{}：未超限")
OVER: Final = Title("{}: exceeded for {} in total", "{}：累计超限{}")
GAP_NOTE: Final = Title(
    "The largest gap is the longest time without a tap that counts: from the last one before the period, to the end of"
    " the period or to the making of this report. A limit bound to hours is judged within them.",
    "最长间隔指没有有效打卡的最长时间：自时段之前的最后一次打卡起，至时段结束或报告生成时止。限定时段的上限仅在该时段内判定。",
)

EXCEPTIONS: Final = Title("Exceptions", "异常")
KIND: Final = Title("Type", "类型")
COUNT: Final = Title("Number", "数量")
DATE: Final = Title("Shift date", "班次日期")
ROUND: Final = Title("Round", "轮次")
TIME: Final = Title("Time", "时间")
DETAIL: Final = Title("Detail", "说明")
NONE: Final = Title("None.", "无。")
MORE: Final = Title("and {} more; the CSV file has all", "另有 {} 条，详见 CSV 文件")
PROVISIONAL: Final = Title("provisional: a device has not synced", "待定：设备尚未同步")

UNCOUNTED: Final = Title("Taps that did not count", "未计入的打卡")
REASON: Final = Title("Reason", "原因")
REVIEWS: Final = Title("Reviews pending", "待审核打卡")
GUARD: Final = Title("Guard", "保安")
NO_REVIEWS: Final = Title("No tap waits for a review.", "没有待审核的打卡。")

UNOBSERVED: Final = Title("Times not observed", "未监测时段")
UNOBSERVED_NOTE: Final = Title(
    "The gateway did not observe for {} in all. What happened in these times and was not uploaded later cannot be"
    " known; it is not counted as kept.",
    "网关累计{}未处于监测状态。期间发生且事后未补传的情况无法得知，不计为完成。",
)
ALL_OBSERVED: Final = Title("The gateway observed all the time.", "网关全程处于监测状态。")
LASTED: Final = Title("Duration", "时长")

SIGNED: Final = Title("Signatures", "签字")
SIGNERS: Final = (Title("Patrol supervisor", "巡更主管"), Title("Property manager", "物业经理"))
SIGNATURE_LINES: Final = (Title("Name", "姓名"), Title("Date", "日期"))

LABELS: Final = Title("Tag labels", "巡更点标签")
CODE: Final = Title("Code", "编码")
NO_LABELS: Final = Title("No labels were asked for.", "没有需要打印的标签。")

NOTHING: Final = "–"
"""Stands where there is nothing to say."""

_UNITS: Final = (
    (DAY, Title("d", "天")),
    (HOUR, Title("h", "小时")),
    (MINUTE, Title("min", "分")),
    (SECOND, Title("s", "秒")),
)
_TENTHS = 1000


class Wording(NamedTuple):
    """Writes in one language, about one site.

    Args:
        plan: whose titles and zone are used.
        language: ``en`` or ``zh``.
    """

    plan: SitePlan
    language: Language

    def of(self, title: Title) -> str:
        """The text of a title; that of the other language where it has none."""
        return (title.zh or title.en) if self.language == "zh" else (title.en or title.zh)

    def say(self, title: Title, *values: object, **named: object) -> str:
        """A text with its places filled in."""
        return self.of(title).format(*values, **named)

    def time(self, at: Millis) -> str:
        """Local date and time to the minute."""
        return self._local(at).strftime("%Y-%m-%d %H:%M")

    def stamp(self, at: Millis) -> str:
        """RFC 3339 with the local offset."""
        return self._local(at).isoformat(timespec="seconds")

    def _local(self, at: Millis) -> datetime:
        return datetime.fromtimestamp(at // SECOND, ZoneInfo(self.plan.timezone))

    def month(self, start: Millis, end: Millis) -> str:
        """The calendar month, where the period is just one; otherwise empty."""
        first, after = self._local(start), self._local(end)
        months = (after.year - first.year) * 12 + after.month - first.month
        if months != 1 or any((each.day, each.hour, each.minute) != (1, 0, 0) for each in (first, after)):
            return ""
        return f"{first.year}年{first.month}月" if self.language == "zh" else first.strftime("%B %Y")

    def duration(self, length: Millis) -> str:
        """The two largest units of a duration, rounded down: ``1 d 4 h``."""
        space = "" if self.language == "zh" else " "
        parts: list[str] = []
        for unit, word in _UNITS:
            count, length = divmod(length, unit)
            if count and len(parts) < 2:  # noqa: PLR2004 - the two largest
                parts.append(f"{count}{space}{self.of(word)}")
            elif parts:
                break
        return space.join(parts) or f"0{space}{self.of(_UNITS[-1][1])}"

    def share(self, part: int, whole: int) -> str:
        """A share in per cent with one decimal, rounded down: 100 % is all of it."""
        if not whole:
            return NOTHING
        tenths = part * _TENTHS // whole
        return "100 %" if tenths == _TENTHS else f"{tenths // 10}.{tenths % 10} %"

    def checkpoint(self, name: str | None) -> str:
        """Its title, or its id where the site has it no more."""
        found = self.plan.checkpoints.get(name or "")
        return (name or NOTHING) if found is None else self.of(found.title)

    def place(self, checkpoint: Checkpoint) -> str:
        """Building, floor and place, as far as they are set."""
        parts: list[str] = []
        building = self.plan.buildings.get(checkpoint.building or "")
        if building is not None:
            parts.append(self.of(building.title))
            floor = building.floors.get(checkpoint.floor or "")
            parts += [self.of(floor.title)] if floor is not None else []
        return " · ".join([*parts, *([checkpoint.place] if checkpoint.place else [])])

    def route(self, name: str) -> str:
        """Its title, or its id where the site has it no more."""
        found = self.plan.routes.get(name)
        return name if found is None else self.of(found.title)

    def guard(self, name: str | None) -> str:
        """As the site calls him or her."""
        found = self.plan.patrol.guards.get(name or "")
        return (name or NOTHING) if found is None else self.of(found.title)

    def kind(self, name: str) -> str:
        """What an exception, or what stands against a tap, is called."""
        if name in KINDS:
            return self.of(KINDS[name])
        return self.of(FLAGS[name].title) if name in FLAGS else name

    def reason(self, name: str) -> str:
        """Why a tap does not count."""
        return self.of(FLAGS[name].title) if name in FLAGS else self.of(UNTOLD)
