using System.Globalization;
using System.Runtime.InteropServices;
using Orchestrator.SimulatedEngines;

// A farm of simulated engines, until SIGTERM or SIGINT. Says "ready" once every socket listens.
if (args is not [var folder, var count, var speed, .. { Length: > 0 } images]
    || !int.TryParse(count, CultureInfo.InvariantCulture, out var engines) || engines < 1
    || !double.TryParse(speed, CultureInfo.InvariantCulture, out var factor) || !(factor >= 0))
{
    await Console.Error.WriteLineAsync(
        "usage: Orchestrator.SimulatedEngines FOLDER ENGINES LATENCY-FACTOR IMAGE…\n"
        + "  FOLDER          the sockets are made there: engine-1.sock and on\n"
        + "  ENGINES         how many, at least 1\n"
        + "  LATENCY-FACTOR  0: no waiting; 1: as long as a real engine takes\n"
        + "  IMAGE           references that a pull finds, with registry and tag");
    return 2;
}

var ended = new TaskCompletionSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.TrySetResult();
}

using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
var options = new SimulationOptions(Path.GetFullPath(folder), engines, images) { Latencies = EngineLatencies.Measured.Scaled(factor) };
await using var server = await EngineServer.StartAsync(options, TimeProvider.System);
Console.WriteLine("ready");
await ended.Task;
return 0;
