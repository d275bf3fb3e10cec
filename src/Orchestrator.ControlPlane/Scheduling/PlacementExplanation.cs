using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Where one more replica of an app would go if it were placed now, and what each host has for and against it. Made by the scheduler's own
/// rules, from objects that whoever asks has read.
/// </summary>
/// <param name="Host">Where it would go; null when no host fits.</param>
/// <param name="Message">The same in words; why not, when no host fits.</param>
/// <param name="Hosts">Those that fit, best first, then the others by name.</param>
public sealed record PlacementExplanation(
    string Namespace, string App, string Revision, string? Host, string Message, IReadOnlyList<HostExplanation> Hosts)
{
    /// <param name="revision">The one that the replica would have.</param>
    /// <param name="apps">All apps, since some may have to keep away from others.</param>
    /// <param name="replicas">Of all apps, since all of them take room.</param>
    /// <remarks>
    /// Ports that an engine has refused are known by Replicas that still say so; the scheduler remembers them for a while longer.
    /// </remarks>
    public static PlacementExplanation Of(
        WebApp app,
        string revision,
        IEnumerable<WebApp> apps,
        IEnumerable<DockerHost> hosts,
        IReadOnlyCollection<Replica> replicas,
        TimeProvider time)
    {
        var refused = new RefusedPorts(time);
        foreach (var replica in replicas)
        {
            refused.Learn(replica);
        }

        var next = new Replica
        {
            Metadata = new() { Name = app.Metadata.Name, NamespaceProperty = app.Metadata.NamespaceProperty },
            Spec = new() { AppName = app.Metadata.Name, Revision = revision, Template = app.Spec.ToTemplate() },
        };
        var bound = replicas.Where(replica => replica.Spec.HostName is not null).Select(replica => (replica, replica.Spec.HostName!, replica.Spec.HostPort));
        var byKey = apps.Append(app).GroupBy(ObjectKey.Of).ToDictionary(one => one.Key, one => one.Last());
        var round = new PlacementRound(new(hosts.Select(HostSnapshot.Of), bound, refused.Current(), byKey.GetValueOrDefault) { Now = time.GetUtcNow() }, []);
        var verdicts = round.Judge(next);
        var decision = round.Place([next]).Single();
        var host = (decision as Placed)?.Host;
        return new(
            app.Metadata.NamespaceProperty,
            app.Metadata.Name,
            revision,
            host,
            decision is Unfit unfit ? unfit.Message : $"one more replica would go to {host}",
            [.. verdicts.Select((verdict, index) => Describe(verdict, index == 0 ? null : verdicts[index - 1], index + 1))]);
    }

    /// <param name="better">The one before it; null for the first.</param>
    private static HostExplanation Describe(HostVerdict verdict, HostVerdict? better, int rank) => new(
        verdict.Host,
        verdict.Fits ? rank : null,
        HostScore.Fields.ToDictionary(field => field.Name, field => field.Value(verdict.Score)),
        verdict.Fits && better is not null ? verdict.Score.WhyBehind(better.Score) : null,
        verdict.Reasons);
}

/// <summary>What one host has for and against it.</summary>
/// <param name="Rank">1 is the best; null when it does not fit.</param>
/// <param name="Score">By field, in the order in which they are compared; less is better, and null worse than any number.</param>
/// <param name="Behind">By what it comes after the host before it; null for the first, and when it does not fit.</param>
/// <param name="WhyNot">All that rules it out.</param>
public sealed record HostExplanation(
    string Name, int? Rank, IReadOnlyDictionary<string, double?> Score, string? Behind, IReadOnlyList<string> WhyNot);
