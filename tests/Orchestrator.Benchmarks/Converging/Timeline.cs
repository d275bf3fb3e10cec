using System.Globalization;
using Orchestrator.Api.Replicas;
using Orchestrator.Api;
using Orchestrator.Benchmarks.Engines;
using k8s;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>
/// Where the time of one of our rounds goes: when the first, the middle and the last replica had passed each step. A watch of its
/// own costs the server something, so that such a round is not measured with the others.
/// </summary>
internal sealed class Timeline
{
    private static readonly string[] Steps = ["Replica created", "bound to a host", "container created", "container started", "ready written", "routed"];

    private readonly Dictionary<string, List<DateTimeOffset>> _times = Steps.ToDictionary(step => step, _ => new List<DateTimeOffset>());
    private DateTimeOffset _answered;

    /// <summary>The apply has been answered.</summary>
    public void Begin() => _answered = Now;

    /// <summary>So many are in the route table.</summary>
    public void Routed(int count)
    {
        for (var known = _times[Steps[5]].Count; known < count; known++)
        {
            _times[Steps[5]].Add(Now);
        }
    }

    public static async Task WriteAsync(Ours ours, Workload workload, TextWriter output, CancellationToken cancellationToken)
    {
        var timeline = new Timeline();
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(ours.Installation.Kubeconfig));
        using var watched = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = timeline.WatchAsync(kubernetes, watched.Token);
        TimeSpan took;
        try
        {
            took = await ours.ConvergeAsync(timeline, cancellationToken);
            foreach (var engine in workload.Engines)
            {
                timeline.Take(await engine.EventsAsync($"{Labels.App}=web", timeline._answered, Now));
            }
        }
        finally
        {
            await watched.CancelAsync();
            await watching;
        }

        await ours.RemoveAsync(cancellationToken);

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"timeline of one of our rounds of {took.TotalMilliseconds:F0} ms, ms after the apply's answer"));
        await output.WriteLineAsync($"  {"step",-20} {"first",6} {"middle",6} {"last",6}  replicas");
        foreach (var (step, times) in timeline._times)
        {
            var sorted = times.Order().Select(time => (time - timeline._answered).TotalMilliseconds).ToList();
            await output.WriteLineAsync(sorted.Count == 0
                ? $"  {step,-20} never seen"
                : string.Create(CultureInfo.InvariantCulture, $"  {step,-20} {sorted[0],6:F0} {sorted[sorted.Count / 2],6:F0} {sorted[^1],6:F0}  {sorted.Count}"));
        }
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private void Take(IReadOnlyList<EngineEvent> events)
    {
        _times[Steps[2]].AddRange(events.Where(happened => happened.Action == "create").Select(happened => happened.Time));
        _times[Steps[3]].AddRange(events.Where(happened => happened.Action == "start").Select(happened => happened.Time));
    }

    private async Task WatchAsync(Kubernetes kubernetes, CancellationToken cancellationToken)
    {
        var (created, bound, ready) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        var response = kubernetes.CustomObjects.ListClusterCustomObjectWithHttpMessagesAsync<CustomResourceList<Replica>>(
            ApiGroup.Name, ApiGroup.Version, Replica.Plural, watch: true, cancellationToken: cancellationToken);
        try
        {
            // The client's newer calls watch custom objects as untyped JSON only.
#pragma warning disable CS0618
            await foreach (var (type, replica) in response.WatchAsync<Replica, CustomResourceList<Replica>>(null, cancellationToken))
#pragma warning restore CS0618
            {
                // Bookmarks and errors hold no Replica; one that is going is of an earlier round.
                if (type is not (WatchEventType.Added or WatchEventType.Modified) || replica.Metadata.DeletionTimestamp is not null)
                {
                    continue;
                }

                Note(Steps[0], created, replica, true);
                Note(Steps[1], bound, replica, replica.Spec.HostName is not null);
                Note(Steps[4], ready, replica, replica.Status is { Ready: true });
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // All that was to be seen has been seen.
        }
    }

    private void Note(string step, HashSet<string> seen, Replica replica, bool passed)
    {
        if (passed && seen.Add(replica.Metadata.Uid))
        {
            _times[step].Add(Now);
        }
    }
}
