"""TelemetryService: reports of the living sensors, in the very values that the sensors show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import capture

from emulator.redfish.views import telemetry_service

SERVICE = "/redfish/v1/TelemetryService"
REPORTS = f"{SERVICE}/MetricReports"
TICK, INTERVAL = 10, 300
BUNDLED = ("lifecycle-server", "rack-server")
QUANTITIES = {"Temperature", "FanSpeedPercent", "Power", "Energy", "Voltage"}


@pytest.fixture(params=BUNDLED)
def server(make_bmc, request):
    bmc = make_bmc(mockup=request.param)
    bmc.advance(4_000_000_203.0 - bmc.get("/jobfish/v1/clock").body["epoch"])  # 4,000,000,200 begins an interval
    return bmc


def members(bmc, uri):
    listed = bmc.get(uri).body
    found = [bmc.get(member["@odata.id"]).body for member in listed["Members"]]
    assert listed["Members@odata.count"] == len(found)
    return found


def values(bmc, report):
    """(metric, property) -> value."""
    found = bmc.get(f"{REPORTS}/{report}").body["MetricValues"]
    return {(entry["MetricId"], entry["MetricProperty"]): entry["MetricValue"] for entry in found}


def at(bmc, metric_property):
    """What a metric property leads to."""
    uri, _, pointer = metric_property.partition("#/")
    value = bmc.get(uri).body
    for step in pointer.split("/"):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_the_service_leads_to_definitions_and_reports(server):
    service = server.get(server.get("/redfish/v1").body["TelemetryService"]["@odata.id"]).body
    assert (service["@odata.type"], service["ServiceEnabled"]) == ("#TelemetryService.v1_4_1.TelemetryService", True)
    assert service["MinCollectionInterval"] == f"PT{TICK}S"
    assert "Actions" not in service, "nothing that would not work"
    reports, definitions = members(server, REPORTS), members(server, f"{SERVICE}/MetricReportDefinitions")
    assert service["MaxReports"] == len(reports) == len(definitions)
    metrics = {found["Id"]: found for found in members(server, f"{SERVICE}/MetricDefinitions")}
    for report, definition in zip(reports, definitions, strict=True):
        assert report["MetricReportDefinition"] == {"@odata.id": definition["@odata.id"]}
        assert definition["MetricReport"] == {"@odata.id": report["@odata.id"]}
        told = {(entry["MetricId"], entry["MetricProperty"]) for entry in report["MetricValues"]}
        assert told == {
            (entry["MetricId"], place) for entry in definition["Metrics"] for place in entry["MetricProperties"]
        }
        for metric_id, place in told:
            assert place in metrics[metric_id]["MetricProperties"]
    measured = {name for name, found in metrics.items() if found["Implementation"] == "PhysicalSensor"}
    assert measured == QUANTITIES


@pytest.mark.parametrize("place", ["", "/MetricReports", "/MetricReports/FanMetrics", "/MetricReportDefinitions"])
def test_what_there_is_to_report_is_given(rack, place):
    for method in ("POST", "PATCH", "DELETE"):
        answer = rack.call(method, f"{SERVICE}{place}", {})
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("power", ["running", "off", "in POST"])
def test_a_report_on_request_shows_what_the_sensors_show(server, power):
    if power != "running":
        server.reset("ForceOff")
        server.advance(60)
    if power == "in POST":
        server.reset("On")
        server.advance(12)
    seen = 0
    for report in members(server, REPORTS):
        if report["Id"] == "PowerStatistics":
            continue
        for entry in report["MetricValues"]:
            value = at(server, entry["MetricProperty"])
            assert entry["MetricValue"] == (None if value is None else str(value)), entry
            seen += 1
    living = [uri for uri, document in server.service.site.tree.documents.items() if is_sensor(server, uri, document)]
    assert seen == len(living)
    if power == "off":
        assert None in values(server, "PowerMetrics").values(), "rails have no reading"


def is_sensor(bmc, uri, document):
    return uri in bmc.service.site.readings and document["@odata.type"].startswith("#Sensor.")


def test_a_report_on_request_stays_until_the_sensors_may_read_something_else(server):
    uri = f"{REPORTS}/PowerMetrics"
    first = server.get(uri)
    server.advance(TICK - 4)  # three seconds after a tick
    assert server.get(uri).headers["ETag"] == first.headers["ETag"]
    server.advance(2)
    second = server.get(uri)
    assert second.headers["ETag"] != first.headers["ETag"]
    assert second.body["Timestamp"] > first.body["Timestamp"]
    assert {entry["Timestamp"] for entry in second.body["MetricValues"]} == {second.body["Timestamp"]}


def test_a_periodic_report_is_of_the_last_interval_and_stays_until_the_next(server):
    """Nothing that happens meanwhile changes it, not even power that goes away."""
    uri = f"{REPORTS}/PowerStatistics"
    definition = server.get(f"{SERVICE}/MetricReportDefinitions/PowerStatistics").body
    assert definition["MetricReportDefinitionType"] == "Periodic"
    assert definition["Schedule"] == {"RecurrenceInterval": f"PT{INTERVAL}S"}
    first = server.get(uri).body
    server.reset("ForceOff")
    server.advance(INTERVAL - 10)
    assert server.get(uri).body == first
    server.advance(20)
    second = server.get(uri).body
    assert second["Timestamp"] > first["Timestamp"]
    told = values(server, "PowerStatistics")
    for (metric, place), value in told.items():
        if metric == "PowerAverage":
            least, most = told["PowerMinimum", place], told["PowerMaximum", place]
            assert float(least) <= float(value) <= float(most)
            assert float(least) < float(most), "standby, and what was drawn before"
    total = next(place for _, place in told if place.endswith(("power-total#/Reading", "PwrConsumption#/Reading")))
    before = {(entry["MetricId"], entry["MetricProperty"]): entry["MetricValue"] for entry in first["MetricValues"]}
    assert float(told["PowerAverage", total]) < 0.5 * float(before["PowerAverage", total])


def test_a_mockups_own_service_is_served_as_it_is(rack):
    site = rack.service.site
    own = replace(site.tree, documents={**site.tree.documents, SERVICE: {"@odata.id": SERVICE}})
    assert telemetry_service.resources(site)
    assert telemetry_service.resources(replace(site, tree=own)) == []


@pytest.mark.parametrize("name", ["rackmount1", "localstorage", "smartnic"])
def test_every_metric_of_other_trees_is_there_too(make_bmc, name):
    """Those without sensors of their own have Thermal and Power; those without either, no service."""
    bmc = make_bmc(mockup=str(capture(f"dmtf-public-{name}.tar.xz")))
    root = bmc.get("/redfish/v1").body
    if not bmc.service.site.readings:
        assert "TelemetryService" not in root
        assert bmc.get(SERVICE).status == 404
        return
    told = [entry for report in members(bmc, REPORTS) for entry in report["MetricValues"]]
    assert told
    for entry in told:
        if entry["MetricId"] in (
            "Temperature",
            "Power",
            "Voltage",
            "FanSpeed",
            "FanSpeedPercent",
            "Energy",
            "Humidity",
        ):
            assert entry["MetricValue"] == str(at(bmc, entry["MetricProperty"]))
