using System.Globalization;
using System.Runtime.InteropServices;
using Orchestrator.Benchmarks.Converging;
using Orchestrator.Benchmarks.FailingOver;
using Orchestrator.Benchmarks.Probing;
using Orchestrator.Benchmarks.Proxying;
using Orchestrator.Benchmarks.RollingOut;
using Orchestrator.Benchmarks.Routing;
using Orchestrator.Benchmarks.Scaling;
using Orchestrator.Benchmarks.Scheduling;
using Orchestrator.EndToEnd.Tests.Installations;

if (args is [ProbedProcess.Command, var ports])
{
    return await ProbedServer.RunAsync(int.Parse(ports, CultureInfo.InvariantCulture), Console.In, Console.Out);
}

var scale = args is ["scale", .. var scaleArguments] ? ScaleOptions.Parse(scaleArguments) : null;
if (scale is null && args is not (["converge"] or ["converge", "--timeline"] or ["rollout"] or ["failover"] or ["probes"] or ["scheduler"] or ["routes"] or ["proxy"] or ["proxy", "--first"]))
{
    await Console.Error.WriteLineAsync(
        "usage: Orchestrator.Benchmarks converge [--timeline] | rollout | failover | probes | proxy [--first] | routes | scheduler | " + ScaleOptions.Usage + " (through 'make bench-…')");
    return 2;
}

// The first Ctrl-C cleans up; a second one ends at once.
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    if (args[0] == "probes")
    {
        await ProbeBenchmark.RunAsync(Console.Out, stop.Token);
        return 0;
    }

    if (args[0] == "routes")
    {
        await RoutesBenchmark.RunAsync(Console.Out, stop.Token);
        return 0;
    }

    if (args[0] == "scheduler")
    {
        await SchedulerBenchmark.RunAsync(Console.Out, stop.Token);
        return 0;
    }

    if (!File.Exists(Orc.Path))
    {
        throw new InvalidOperationException($"{Orc.Path} is missing; build it: make orc");
    }

    await (args[0] switch
    {
        "scale" => ScaleBenchmark.RunAsync(Console.Out, scale!, stop.Token),
        "rollout" => RolloutBenchmark.RunAsync(Console.Out, stop.Token),
        "proxy" => ProxyBenchmark.RunAsync(Console.Out, firstOnly: args.Length > 1, stop.Token),
        "failover" => FailoverBenchmark.RunAsync(Console.Out, stop.Token),
        _ => ConvergeBenchmark.RunAsync(Console.Out, timeline: args.Length > 1, stop.Token),
    });
    return 0;
}
catch (Exception stopped) when (stop.IsCancellationRequested)
{
    // A Ctrl-C ends the programs it runs too, so that this may be their failure instead of the cancellation.
    await Console.Error.WriteLineAsync($"stopped: {stopped.Message}");
    return 130;
}
catch (Exception failure)
{
    await Console.Error.WriteLineAsync($"error: {failure.Message}");
    return 1;
}
