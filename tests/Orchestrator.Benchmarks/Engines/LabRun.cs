using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Engines;

/// <summary>The lab's hosts for one benchmark.</summary>
/// <param name="Engines">Of the hosts, in their order.</param>
internal sealed record LabRun(LabDescription Lab, IReadOnlyList<EngineApi> Engines)
{
    /// <exception cref="TimeoutException">It took longer than the limit.</exception>
    public static async Task RunAsync(int hosts, TimeSpan limit, Func<LabRun, CancellationToken, Task> measure, CancellationToken stop)
    {
        var lab = LabDescription.Read(hosts);
        using var late = new CancellationTokenSource(limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        var engines = lab.Hosts.Take(hosts).Select(host => new EngineApi(host, lab.Tls)).ToList();
        try
        {
            await measure(new(lab, engines), either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested && late.IsCancellationRequested)
        {
            throw new TimeoutException($"the benchmark took longer than {limit.TotalSeconds} s: this machine is too busy to measure on");
        }
        finally
        {
            engines.ForEach(engine => engine.Dispose());
        }
    }
}
