"""The Redfish face (DSP0266): documents projected from the machine, laid over the mockup."""
