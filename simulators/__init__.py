"""Devices that speak MQTT, for the demo, for load tests and for trying out rules.

A fleet is a pure simulation: seed and simulated time in, publications out. Only :mod:`simulators.line`,
:mod:`simulators.flood` and :mod:`simulators.broker` touch the network::

    fleet = Fleet(plan, seed=1, start=now, faults=demo_schedule(plan, 1))
    fleet.advance(now + 60_000)                                   # a minute of traffic, in order of time
    await simulate(site=plan, url="mqtt://127.0.0.1:1883")        # the same over real MQTT, in real time
    async with broker() as url: ...                               # with a broker of our own
    simulate_into(Path("day.jsonl.zst"), site=plan, duration=86_400)   # the same as a traffic file
    SteadyFleet(plan, seed=1, start=now, rate=Fraction(100))      # reports alone, for load
    await flood(url, Traffic(blow_up(plan, 10_000)).messages(now), count=100_000)
"""
