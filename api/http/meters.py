"""The gateway's counters as Prometheus reads them."""

import re
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.gateway_port import GatewayPort
from api.http.live import Live

COUNTERS = {
    "messages_received": "MQTT messages taken from the broker.",
    "messages_acknowledged": "MQTT messages acknowledged after their commit.",
    "messages_committed": "MQTT messages whose effects are on disk.",
    "mqtt_reconnects": "Connections to the broker made after the first.",
    "mqtt_malformed": "MQTT packets that could not be read.",
    "acks_dropped": "Acknowledgements given up because their connection was gone; the broker sends again.",
    "readings_committed": "Rows handed to the telemetry outbox.",
    "readings_stored": "Rows the telemetry store has taken.",
    "readings_refused": "Rows the telemetry store refused for good.",
    "telemetry_retries": "Writes to the telemetry store that had to be tried again.",
    "notices_sent": "Notices that arrived, counted for each address.",
    "notices_failed": "Tries to deliver a notice that failed.",
    "notices_given_up": "Notices given up after many tries.",
    "notices_unaddressed": "Notices for targets that have no address.",
    "commits": "Transactions committed.",
    "commits_failed": "Transactions that failed and left nothing behind.",
    "faults": "Faults of the gateway's own that a message or command brought to light.",
    "feed_cut_off": "Live listeners cut off because they could not keep up.",
}
"""What only grows, with what it means."""
GAUGES = {
    "telemetry_lag_seconds": "Age of the oldest reading that waits for the telemetry store.",
    "outbox_rows": "Rows that wait for the telemetry store.",
    "outbox_bytes": "Bytes they take on disk.",
    "notices_waiting": "Notices on their way, counted for each address.",
    "feed_listeners": "Live listeners.",
    "clock_ahead_seconds": "How far the gateway's time is ahead of a machine clock that was set back.",
}
"""What goes up and down."""
FAMILIES = {
    "rejected": ("reason", "Payloads, or parts of one, that were refused."),
    "outcomes": ("kind", "What happened to alerts, work orders, patrol, devices and the gateway itself."),
}
"""Meters of which there is one for each word after the name."""
ALERT_COUNTERS = {
    "alerts_announced": "Alerts put before people, by rule and level.",
    "alerts_chattered": "Times an alert began to chatter, by rule and level.",
}
"""What only grows, by ``rule`` and ``level``; past a thousand pairs the rule is ``other``."""
ALERT_GAUGES = {
    "alerts": "Live alerts, by state and level.",
    "alerts_suppressed": "Live alerts nobody is told of, by how.",
    "alerts_chattering": "Live alerts that chatter.",
    "alerts_stale": "Live alerts that have stood for longer than the site's limit.",
    "alerts_oldest_unacknowledged_seconds": "How long the oldest alert that nobody acknowledged has been asking; 0 without any.",
}
"""How the live alerts stand."""

PATROL_COUNTERS = {
    "taps": "Taps that are evidence, by grade, as they were judged when they came in.",
    "taps_uncounted": "Taps that are none, by the first flag that stands against them.",
}
"""What only grows, of patrol."""
PATROL_GAUGES = {"rounds": "Live rounds, by state."}
"""How patrol stands."""

_UNFIT = re.compile(r"[^a-zA-Z0-9_]")


class GatewayCollector(Collector):
    """Reads the gateway when Prometheus asks."""

    def __init__(self, gateway: GatewayPort, live: Live) -> None:
        self._gateway, self._live = gateway, live

    def collect(self) -> Iterator[Metric]:
        """All there is."""
        families = {
            name: CounterMetricFamily(f"fgw_{name}", words, labels=[label])
            for name, (label, words) in FAMILIES.items()
        }
        for name, value in self._gateway.meters().items():
            family, _, word = name.partition("_")
            if name in COUNTERS:
                yield CounterMetricFamily(f"fgw_{name}", COUNTERS[name], value)
            elif family in families and word:
                families[family].add_metric([word], value)
            elif name not in families:  # the sum of a family would count everything twice
                words = GAUGES.get(name, f"{name.replace('_', ' ')}, as the gateway reports it.")
                yield GaugeMetricFamily(f"fgw_{_UNFIT.sub('_', name)}", words, value)
        yield from families.values()
        yield from self._alerts()
        yield from self._patrol()
        yield from self._state()

    def _alerts(self) -> Iterator[Metric]:
        counts, standing = self._gateway.alert_meters()
        pairs = {"alerts_announced": counts.announced, "alerts_chattered": counts.chattered}
        for name, found in pairs.items():
            counter = CounterMetricFamily(f"fgw_{name}", ALERT_COUNTERS[name], labels=["rule", "level"])
            for labels, value in sorted(found.items()):
                counter.add_metric(labels, value)
            yield counter
        live = GaugeMetricFamily("fgw_alerts", ALERT_GAUGES["alerts"], labels=["state", "level"])
        for labels, value in standing.live.items():
            live.add_metric(labels, value)
        yield live
        quiet = GaugeMetricFamily("fgw_alerts_suppressed", ALERT_GAUGES["alerts_suppressed"], labels=["how"])
        for how, value in standing.suppressed.items():
            quiet.add_metric([how], value)
        yield quiet
        plain: dict[str, float] = {
            "alerts_chattering": standing.chattering,
            "alerts_stale": standing.stale,
            "alerts_oldest_unacknowledged_seconds": standing.oldest / 1000,
        }
        for name, amount in plain.items():
            yield GaugeMetricFamily(f"fgw_{name}", ALERT_GAUGES[name], amount)

    def _patrol(self) -> Iterator[Metric]:
        taps, rounds = self._gateway.patrol_meters()
        for name, label, found in (
            ("taps", "grade", taps.counted),
            ("taps_uncounted", "flag", taps.uncounted),
        ):
            counter = CounterMetricFamily(f"fgw_{name}", PATROL_COUNTERS[name], labels=[label])
            for word, value in sorted(found.items()):
                counter.add_metric([word], value)
            yield counter
        live = GaugeMetricFamily("fgw_rounds", PATROL_GAUGES["rounds"], labels=["state"])
        for state, value in rounds.items():
            live.add_metric([state], value)
        yield live

    def _state(self) -> Iterator[Metric]:
        health = GaugeMetricFamily("fgw_healthy", "Whether a part works: 1 yes, 0 no.", labels=["part"])
        for part, found in self._gateway.health().items():
            health.add_metric([part], int(found.ok))
        yield health
        yield GaugeMetricFamily("fgw_devices", "Devices of the site.", len(self._gateway.plan.equipment))
        yield GaugeMetricFamily("fgw_live_streams", "Live streams over HTTP.", self._live.streams)


class Meters:
    """The registry of one server."""

    def __init__(self, gateway: GatewayPort, live: Live) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(GatewayCollector(gateway, live))
        self.requests = Counter(
            "fgw_http_requests",
            "HTTP requests answered, by method and class of status.",
            ["method", "status"],
            registry=self.registry,
        )

    def count(self, method: str, status: int) -> None:
        """A request was answered."""
        known = method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH") else "other"
        self.requests.labels(known, f"{status // 100}xx").inc()
