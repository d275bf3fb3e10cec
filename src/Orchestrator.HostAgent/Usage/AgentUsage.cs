using System.Collections.ObjectModel;
using Orchestrator.HostAgent.Engines;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.HostAgent.Usage;

/// <summary>What the containers of one host use, over its agent's own connection. Nothing is read unless somebody asks.</summary>
/// <param name="engine">Null while there is no session.</param>
internal sealed class AgentUsage(Func<IEngine?> engine, TimeProvider time) : IDisposable
{
    /// <summary>Samples of many containers on a busy engine take seconds; whoever asks has others to ask.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly UsageSampler _sampler = new(time);

    public async Task<IReadOnlyDictionary<string, ResourceUsage>> ReadAsync(IReadOnlyCollection<string> containers, CancellationToken cancellationToken)
    {
        if (engine() is not { } reached)
        {
            return ReadOnlyDictionary<string, ResourceUsage>.Empty;
        }

        using var enough = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, enough.Token);
        try
        {
            return (await _sampler.ReadAsync(reached, containers, either.Token))
                .Where(read => read.Value is { CpuCores: not null, MemoryBytes: not null })
                .ToDictionary(read => read.Key, read => new ResourceUsage(read.Value.CpuCores!.Value, read.Value.MemoryBytes!.Value, read.Value.Window));
        }
        catch (EngineException)
        {
            // The link's own affair, which sees it too and says so in the host's status: here it is not known, which is an answer.
            return ReadOnlyDictionary<string, ResourceUsage>.Empty;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ReadOnlyDictionary<string, ResourceUsage>.Empty;
        }
    }

    public void Dispose() => _sampler.Dispose();
}
