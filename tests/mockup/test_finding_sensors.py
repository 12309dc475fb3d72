"""Finding the sensors of a tree, what they are, what bounds them, and every place that shows them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.devices.sensor import Kind
from emulator.mockup.chassis import Enclosures, chassis_of, find_enclosures
from emulator.mockup.reader import Document, Tree
from emulator.mockup.readings import find_readings
from emulator.mockup.sensor_kind import Described, kind_of, words_of

CHASSIS = "/redfish/v1/Chassis/1"
HOST = "/redfish/v1/Systems/1"


def link(*uris: str) -> list[dict[str, str]]:
    return [{"@odata.id": uri} for uri in uris]


def sensor(reading: Any = 40, reading_type: str | None = "Temperature", **more: Any) -> Document:
    return {"@odata.type": "#Sensor.v1_9_0.Sensor", "Reading": reading, "ReadingType": reading_type, **more}


def found(documents: dict[str, Document], enclosures: Enclosures | None = None):
    """(document, path) -> what is shown there; documents stand in the chassis, by name."""
    return {(name, "/".join(map(str, shown.path))): shown for name, shown in all_found(documents, enclosures)}


def all_found(documents: dict[str, Document], enclosures: Enclosures | None = None):
    """(document, what is shown there), for each place."""
    tree = Tree("t", {f"{CHASSIS}/{name}": document for name, document in documents.items()})
    readings = find_readings(tree, enclosures or Enclosures())
    return [(uri.removeprefix(f"{CHASSIS}/"), shown) for uri, places in readings.items() for shown in places]


KINDS = [
    # ReadingType, PhysicalContext, name -> kind
    ("Temperature", "Intake", "", Kind.INLET),
    ("Temperature", "Room", "AmbientTemp", Kind.INLET),
    ("Temperature", "SystemBoard", "SystemBoardInletTemp", Kind.INLET),
    ("Temperature", "SystemBoard", "System Board Exhaust Temp", Kind.BOARD),
    ("Temperature", "CPU", "CPU1Temp", Kind.PROCESSOR),
    ("Temperature", "Accelerator", "", Kind.PROCESSOR),
    ("Temperature", None, "CPU1 Temp", Kind.PROCESSOR),
    ("Temperature", "Memory", "", Kind.BOARD),
    ("Temperature", "PowerSupply", "", Kind.SUPPLY),
    ("Temperature", None, "PS1Temp", Kind.SUPPLY),
    ("Temperature", "StorageDevice", "", Kind.DRIVE),
    ("Rotational", "SystemBoard", "Fan1A", Kind.FAN),
    ("Rotational", "PowerSupply", "", Kind.SUPPLY_FAN),
    ("Percent", "Fan", "fan", Kind.FAN),
    ("Percent", "SystemBoard", "SystemBoardCPUUsage", Kind.USAGE),
    ("Percent", "Battery", "StateOfHealth", None),
    ("Power", "Chassis", "", Kind.CONSUMPTION),
    ("Power", "SystemBoard", "SystemBoardPwrConsumption", Kind.CONSUMPTION),
    ("Power", "PowerSupply", "", Kind.CONSUMPTION),
    ("Power", "CPU", "", Kind.SHARE),
    ("Current", "PowerSupply", "", Kind.CONSUMPTION),
    ("Current", "Battery", "", None),
    ("Voltage", "ACInput", "", Kind.MAINS),
    ("Voltage", "PowerSupply", "", Kind.MAINS),
    ("Voltage", "CPU", "", Kind.RAIL),
    ("Voltage", "VoltageRegulator", "", Kind.RAIL),
    ("Frequency", "PowerSupply", "", Kind.FREQUENCY),
    ("Frequency", "CPU", "", None),
    ("EnergykWh", "Chassis", "", Kind.ENERGY),
    ("Humidity", "Intake", "", Kind.HUMIDITY),
    ("Barometric", "Room", "", None),
    (None, None, "", None),
]


@pytest.mark.parametrize("row", KINDS, ids=[f"{row[0]} of {row[1]} {row[2]}" for row in KINDS])
def test_what_a_sensor_reads(row):
    reading_type, context, name, kind = row
    assert kind_of(Described(reading_type, context, words_of(name), is_fan=name == "fan")) is kind


BOUNDS = [
    # delivered, what else the document says -> lowest, highest
    ("nothing", 40, {}, -math.inf, math.inf),
    ("a range", 40, {"ReadingRangeMin": 0, "ReadingRangeMax": 75}, 0, 75),
    ("a range that it has left", 80, {"ReadingRangeMin": 0, "ReadingRangeMax": 75}, 0, math.inf),
    ("thresholds are not reached", 40, {"Thresholds": {"UpperCaution": {"Reading": 42}, "UpperCritical": {"Reading": 45}}}, -math.inf, 41),
    ("the nearest ones count", 40, {"Thresholds": {"LowerCritical": {"Reading": 3}, "LowerCaution": {"Reading": 8}}}, 9, math.inf),
    ("one that it is above is not passed again", 44, {"Thresholds": {"UpperCaution": {"Reading": 42}, "UpperCritical": {"Reading": 50}}}, 43, 49),
    ("on a threshold it stays", 42, {"Thresholds": {"UpperCaution": {"Reading": 42}}}, 42, 42),
    ("a threshold less than a step away", 41.5, {"Thresholds": {"UpperCaution": {"Reading": 41.55}}}, -math.inf, 41.5),
    ("thresholds without readings", 40, {"Thresholds": {"UpperCaution": {"Reading": None}, "UpperCritical": {}}}, -math.inf, math.inf),
    ("the user's", 40, {"Thresholds": {"UpperCautionUser": {"Reading": 41.5}}}, -math.inf, 40.5),
]  # fmt: skip


@pytest.mark.parametrize("row", BOUNDS, ids=[row[0] for row in BOUNDS])
def test_what_bounds_a_reading(row):
    _, delivered, more, lowest, highest = row
    shown = found({"Sensors/a": sensor(delivered, **more)})["Sensors/a", ""]
    assert (shown.sensor.lowest, shown.sensor.highest) == pytest.approx((lowest, highest))


def test_the_thresholds_of_the_older_thermal_bound_too():
    entry = {"Name": "x", "ReadingCelsius": 25, "UpperThresholdNonCritical": 30, "LowerThresholdCritical": 5}
    shown = found({"Thermal": {"@odata.type": "#Thermal.v1_7_0.Thermal", "Temperatures": [entry]}})
    assert (shown["Thermal", "Temperatures/0"].sensor.lowest, shown["Thermal", "Temperatures/0"].sensor.highest) == (
        6,
        29,
    )


@pytest.mark.parametrize(
    "document",
    [
        sensor(None),
        sensor(40, Status={"State": "Absent"}),
        sensor(40, Status={"State": "Disabled"}),
        sensor("40"),
        sensor(True),
        sensor(40, "Barometric"),
        sensor(40, None),
    ],
)
def test_what_does_not_live(document):
    excerpt = {"@odata.type": "#EnvironmentMetrics.v1_0_0.EnvironmentMetrics", "TemperatureCelsius": {"DataSourceUri": f"{CHASSIS}/Sensors/a", "Reading": 40}}  # fmt: skip
    assert found({"Sensors/a": document, "EnvironmentMetrics": excerpt}) == {}


def test_the_type_may_follow_from_the_units():
    assert found({"Sensors/a": sensor(40, None, ReadingUnits="Cel")})["Sensors/a", ""].sensor.kind is Kind.BOARD


EXCERPTS = [
    # schema, document, path -> the sensor's key (below the chassis) and the property shown
    ("EnvironmentMetrics", {"TemperatureCelsius": {"DataSourceUri": f"{CHASSIS}/Sensors/cpu/", "Reading": 1}}, "TemperatureCelsius", "Sensors/cpu", "Reading"),
    ("Control", {"Sensor": {"DataSourceUri": f"{CHASSIS}/Sensors/cpu", "Reading": 1}}, "Sensor", "Sensors/cpu", "Reading"),
    ("ThermalMetrics", {"TemperatureSummaryCelsius": {"Intake": {"DataSourceUri": f"{CHASSIS}/Sensors/gone", "Reading": 1}}}, "TemperatureSummaryCelsius/Intake", "Sensors/gone", "Reading"),
    ("EnvironmentMetrics", {"PowerWatts": {"Reading": 1}}, "PowerWatts", "d#/PowerWatts", "Reading"),
    ("EnvironmentMetrics", {"FanSpeedsPercent": [{}, {"DataSourceUri": f"{CHASSIS}/Sensors/fan", "Reading": 30, "SpeedRPM": 900}]}, "FanSpeedsPercent/1", "Sensors/fan", None),
    ("Fan", {"Id": "fan", "SpeedPercent": {"SpeedRPM": 900}}, "SpeedPercent", "Sensors/fan", None),
]  # fmt: skip


@pytest.mark.parametrize("row", EXCERPTS, ids=[f"{row[0]} {row[2]}" for row in EXCERPTS])
def test_an_excerpt_shows_its_sensor(row):
    schema, document, path, key, name = row
    sensors = {"Sensors/cpu": sensor(PhysicalContext="CPU"), "Sensors/fan": sensor(9_000, "Rotational", Id="fan")}
    shown = found({"d": {"@odata.type": f"#{schema}.v1_0_0.{schema}", **document}, **sensors})["d", path]
    assert (shown.sensor.key, shown.name) == (f"{CHASSIS}/{key}", name)
    assert name or "SpeedRPM" in shown.beside


PASSED_OVER = [
    ("a control", "EnvironmentMetrics", {"PowerLimitWatts": {"DataSourceUri": f"{CHASSIS}/Controls/p", "SetPoint": 500}}),
    ("no reading", "EnvironmentMetrics", {"TemperatureCelsius": {"DataSourceUri": f"{CHASSIS}/Sensors/gone", "Reading": None}}),
    ("an unknown property", "BatteryMetrics", {"ChargePercent": {"DataSourceUri": f"{CHASSIS}/Sensors/gone", "Reading": 4}}),
    ("no source, in another schema", "BatteryMetrics", {"CellVoltages": [{"Reading": 3.4}]}),
    ("a source that is no text", "EnvironmentMetrics", {"HeatPercent": {"DataSourceUri": 7, "Reading": 4}}),
]  # fmt: skip


@pytest.mark.parametrize("row", PASSED_OVER, ids=[row[0] for row in PASSED_OVER])
def test_what_is_no_excerpt_of_a_living_sensor_stays(row):
    _, schema, document = row
    assert found({"d": {"@odata.type": f"#{schema}.v1_0_0.{schema}", **document}}) == {}


def test_thermal_and_power_show_the_sensors_of_the_same_name():
    documents = {
        "Sensors/CPU1Temp": sensor(PhysicalContext="CPU", Name="CPU1 Temp"),
        "Sensors/f": sensor(30, "Percent", SpeedRPM=6_000, Name="Fan 1"),
        "Sensors/w": sensor(400, "Power", PhysicalContext="Chassis", Name="Total"),
        "Sensors/in": sensor(210, "Power", PhysicalContext="PowerSupply", Name="In"),
        "Sensors/v": sensor(1.8, "Voltage", PhysicalContext="CPU", Name="VCORE"),
        "PowerSupplies/a": {"@odata.type": "#PowerSupply.v1_0_0.PowerSupply", "SerialNumber": "S1", "Metrics": link(f"{CHASSIS}/m")[0]},
        "m": {"@odata.type": "#PowerSupplyMetrics.v1_0_0.PowerSupplyMetrics", "InputPowerWatts": {"DataSourceUri": f"{CHASSIS}/Sensors/in", "Reading": 1}},
        "Thermal": {
            "@odata.type": "#Thermal.v1_7_0.Thermal",
            "Temperatures": [{"Name": "CPU1Temp", "ReadingCelsius": 1}, {"Name": "Other", "ReadingCelsius": 30}, {"Name": "None", "ReadingCelsius": None}],
            "Fans": [{"Name": "Fan1", "Reading": 1, "ReadingUnits": "RPM"}, {"FanName": "Fan 1", "Reading": 1, "ReadingUnits": "Percent"}, {"Name": "Fan 9", "Reading": 99}],
        },
        "Power": {
            "@odata.type": "#Power.v1_7_0.Power",
            "PowerControl": [{"Name": "All", "PowerConsumedWatts": 1}, {"Name": "Other", "PowerConsumedWatts": 50}],
            "Voltages": [{"Name": "VCORE", "ReadingVolts": 1}],
            "PowerSupplies": [{"Name": "One", "SerialNumber": "S1", "PowerInputWatts": 1, "LastPowerOutputWatts": 200, "LineInputVoltage": 230}, {"Name": "Two", "PowerInputWatts": None}],
        },
    }  # fmt: skip
    shown = [
        (name, *entry.path, entry.name or sorted(entry.beside), entry.sensor.key.removeprefix(f"{CHASSIS}/"))
        for name, entry in all_found(documents)
        if name in ("Thermal", "Power")
    ]
    assert shown == [
        ("Thermal", "Temperatures", 0, "ReadingCelsius", "Sensors/CPU1Temp"),
        ("Thermal", "Temperatures", 1, "ReadingCelsius", "Thermal#/Temperatures/1"),
        ("Thermal", "Fans", 0, ["Reading"], "Sensors/f"),
        ("Thermal", "Fans", 1, "Reading", "Sensors/f"),
        ("Thermal", "Fans", 2, "Reading", "Thermal#/Fans/2"),
        ("Power", "PowerControl", 0, "PowerConsumedWatts", "Sensors/w"),
        ("Power", "PowerControl", 1, "PowerConsumedWatts", "Power#/PowerControl/1"),
        ("Power", "Voltages", 0, "ReadingVolts", "Sensors/v"),
        ("Power", "PowerSupplies", 0, "PowerInputWatts", "Sensors/in"),
        ("Power", "PowerSupplies", 0, "LastPowerOutputWatts", "Power#/PowerSupplies/0/OutputPowerWatts"),
        ("Power", "PowerSupplies", 0, "LineInputVoltage", "Power#/PowerSupplies/0/InputVoltage"),
    ]


def test_temperatures_fall_to_the_air_of_their_own_chassis():
    documents = {
        "Sensors/cpu": sensor(PhysicalContext="CPU"),
        "Sensors/ambient": sensor(20, PhysicalContext="Room"),
        "Sensors/inlet": sensor(22, PhysicalContext="Intake"),
        "../2/Sensors/cpu": sensor(PhysicalContext="CPU"),
        "../2/Thermal": {
            "@odata.type": "#Thermal.v1_7_0.Thermal",
            "Temperatures": [{"Name": "Intake Temp", "ReadingCelsius": 24}],
        },
        "../3/Sensors/cpu": sensor(PhysicalContext="CPU"),
    }
    tree = Tree("t", {f"{CHASSIS}/{name}".replace("1/../", ""): document for name, document in documents.items()})
    readings = find_readings(tree, Enclosures())
    air = {
        number: readings[f"/redfish/v1/Chassis/{number}/Sensors/cpu"][0].sensor.ambient.delivered
        for number in (1, 2, 3)
    }
    assert air == {1: 22, 2: 24, 3: 22}, "where a chassis has none it is that of another"


def test_energy_counts_the_power_of_what_it_belongs_to():
    supply = {"PhysicalContext": "PowerSupply"}
    documents = {
        "Sensors/PS1Input": sensor(200, "Power", **supply),
        "Sensors/PS1Output": sensor(190, "Power", **supply),
        "Sensors/PS2Input": sensor(210, "Power", **supply),
        "Sensors/PS2Energy": sensor(5, "EnergykWh", **supply),
        "Sensors/CPU": sensor(900, "Power", PhysicalContext="CPU"),
        "Sensors/All": sensor(410, "Power", PhysicalContext="Chassis"),
        "Sensors/Energy": sensor(7, "EnergykWh", PhysicalContext="Chassis"),
    }
    shown = found(documents)
    assert (shown["Sensors/PS2Energy", ""].sensor.watts, shown["Sensors/Energy", ""].sensor.watts) == (210, 410)
    alone = found({"Sensors/Energy": sensor(7, "EnergykWh")})
    assert alone["Sensors/Energy", ""].sensor.watts == 0


STRANGE = [
    {"Thresholds": []},
    {"Thresholds": [1]},
    {"Thresholds": {"UpperCaution": 5}},
    {"PhysicalContext": ["CPU"]},
    {"ReadingType": {}},
    {"Status": "OK"},
    {"Name": None, "Id": 7},
    {"ReadingRangeMax": "75"},
    {"Reading": float("inf")},
]


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_strange_documents_do_no_harm(strange):
    document = {**sensor(ReadingUnits="Cel"), **strange}
    power = {
        "@odata.type": "#Power.v1_0_0.Power",
        "PowerControl": "x",
        "PowerSupplies": [{"SerialNumber": []}, 5],
        "Voltages": {},
    }
    assert set(found({"Sensors/a": document, "Power": power})) <= {("Sensors/a", "")}


# -- chassis ----------------------------------------------------------------------------------------------------------


def test_whose_power_a_chassis_has():
    links = {
        "host": {"ComputerSystems": link(HOST)},
        "backplane": {"ContainedBy": link("/redfish/v1/Chassis/host")[0]},
        "drive": {"ContainedBy": link("/redfish/v1/Chassis/backplane")[0]},
        "other": {"ComputerSystems": link("/redfish/v1/Systems/2")},
        "in other": {"ContainedBy": link("/redfish/v1/Chassis/other")[0]},
        "card": {
            "ComputerSystems": link("/redfish/v1/Systems/card"),
            "ContainedBy": link("/redfish/v1/Chassis/host")[0],
        },
        "strange": None,
        "rack": {"Contains": link("/redfish/v1/Chassis/host")},
        "shared": {"ComputerSystems": link("/redfish/v1/Systems/2", HOST)},
    }
    tree = Tree("t", {f"/redfish/v1/Chassis/{name}": {"Links": value} for name, value in links.items()})
    enclosures = find_enclosures(tree, [*tree.documents, "/redfish/v1/Chassis/gone"], HOST)
    assert {chassis_of(uri).rpartition("/")[2] for uri in enclosures.of_host} == {
        "host",
        "shared",
        "backplane",
        "drive",
    }
    assert {chassis_of(uri).rpartition("/")[2] for uri in enclosures.of_others} == {"other", "in other", "card"}
    assert enclosures.follows_host("/redfish/v1/Chassis/rack/Sensors/a")
    assert enclosures.follows_host("/redfish/v1/Systems/1/Memory/1")
    assert not enclosures.follows_host("/redfish/v1/Chassis/in other/Sensors/a")


def test_the_sensors_of_others_do_not_follow_the_host():
    shown = found({"Sensors/a": sensor()}, Enclosures((), (CHASSIS,)))
    assert not shown["Sensors/a", ""].sensor.of_host
