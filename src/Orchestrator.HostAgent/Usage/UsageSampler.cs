using System.Collections.Concurrent;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Usage;

/// <summary>
/// What the containers of one engine use. Nothing is read unless somebody asks, and nothing twice within
/// <see cref="FreshFor"/>, however many ask. The engine is asked for single samples, never for a stream; processor use is the
/// difference to the sample before, which is kept here.
/// </summary>
internal sealed class UsageSampler(TimeProvider time) : IDisposable
{
    /// <summary>How long an answer is given again. A third of what Kubernetes' metrics-server lets pass between two samples.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary>Least time between two samples that are compared. Engines before 25 read their counters once a second anyway.</summary>
    public static readonly TimeSpan LeastWindow = TimeSpan.FromMilliseconds(500);

    /// <summary>An older sample would tell of the past: two new ones are taken instead.</summary>
    public static readonly TimeSpan LongestWindow = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Calls under way at a time. An engine before 25 answers with its next reading, within a second, and reads all that are asked
    /// for in one go: fewer calls would cost it no less and take longer. Half of what a connection to an engine has; by ssh, which has fewer, the
    /// engine lets no more in than fit.
    /// </summary>
    private const int Parallelism = 64;

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Askers take turns, so that the second finds what the first has brought.</summary>
    /// <param name="containers">Ids.</param>
    /// <returns>One for each of them.</returns>
    /// <exception cref="EngineException">The engine cannot be reached, or no longer. What goes wrong with one container is in its result.</exception>
    public async Task<IReadOnlyDictionary<string, ContainerUsage>> ReadAsync(
        IEngine engine, IReadOnlyCollection<string> containers, CancellationToken cancellationToken)
    {
        var answer = new ConcurrentDictionary<string, ContainerUsage>();
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Forget();
            await Parallel.ForEachAsync(
                containers.Distinct(),
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (id, token) => answer[id] = await ReadAsync(engine, id, token));
        }
        finally
        {
            _turn.Release();
        }

        return answer;
    }

    public void Dispose() => _turn.Dispose();

    private async Task<ContainerUsage> ReadAsync(IEngine engine, string id, CancellationToken cancellationToken)
    {
        if (_entries.TryGetValue(id, out var before) && before.Usage is { } known && time.GetElapsedTime(before.TakenAt) < FreshFor)
        {
            return known;
        }

        try
        {
            var taken = await SampleAsync(engine, id, cancellationToken);
            if (before is null || taken.CoresSince(before.Sample) is null || taken.Time - before.Sample.Time > LongestWindow)
            {
                // Kept also if the second does not come about: the next asker needs no two then.
                _entries[id] = before = new Entry(taken, time.GetTimestamp(), null);
                await Task.Delay(LeastWindow, time, cancellationToken);
                taken = await SampleAsync(engine, id, cancellationToken);
            }

            var cores = taken.CoresSince(before.Sample);
            var usage = new ContainerUsage(
                taken.Time,
                cores is null ? TimeSpan.Zero : taken.Time - before.Sample.Time,
                cores,
                taken.MemoryBytes,
                cores is null ? "its container has just been started anew" : null);
            _entries[id] = new Entry(taken, time.GetTimestamp(), usage);
            return usage;
        }
        catch (EngineException failure) when (!failure.IsTransport)
        {
            _entries.TryRemove(id, out _);
            return ContainerUsage.Unknown(failure.Failure == EngineFailure.NotFound ? "its container is gone" : failure.Message);
        }
    }

    private static async Task<ContainerSample> SampleAsync(IEngine engine, string id, CancellationToken cancellationToken) =>
        await engine.SampleAsync(id, cancellationToken) ?? throw new EngineException(EngineFailure.Conflict, "its container does not run");

    /// <summary>What is too old to be compared with is of no use, and may be of a container that is gone.</summary>
    private void Forget()
    {
        foreach (var (id, entry) in _entries)
        {
            if (time.GetElapsedTime(entry.TakenAt) > LongestWindow)
            {
                _entries.TryRemove(id, out _);
            }
        }
    }

    /// <param name="TakenAt">By our own clock.</param>
    /// <param name="Usage">Null while there was nothing to compare with.</param>
    private sealed record Entry(ContainerSample Sample, long TakenAt, ContainerUsage? Usage);
}
