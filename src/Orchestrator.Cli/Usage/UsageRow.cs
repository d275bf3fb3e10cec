using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Cli.Usage;

/// <summary>What a replica, or all replicas of an app or a host together, use.</summary>
/// <param name="HostName">Of a replica.</param>
/// <param name="Replicas">All there are; what is summed up is of <paramref name="Measured"/> of them.</param>
/// <param name="CpuCores">Null when it is known of none of them.</param>
/// <param name="MemoryBytes">Null when it is known of none of them.</param>
/// <param name="Bounds">What the use is set against, in the order of the columns.</param>
/// <param name="Time">The oldest of their samples.</param>
/// <param name="Window">The longest that processor time is averaged over.</param>
/// <param name="Why">What is not known, and why; null when all is known.</param>
internal sealed record UsageRow(
    string? Namespace,
    string Name,
    string? HostName,
    int Replicas,
    int Measured,
    decimal? CpuCores,
    decimal? MemoryBytes,
    IReadOnlyList<UsageBound> Bounds,
    DateTimeOffset? Time,
    TimeSpan Window,
    string? Why)
{
    /// <summary>Of an app; null when no proxy tells of it.</summary>
    public RequestTraffic? Traffic { get; init; }

    public static UsageRow Of(MeasuredReplica replica) => Of(
        replica.Replica.Metadata.NamespaceProperty, replica.Replica.Metadata.Name, [replica], RequestsAndLimits([replica.Replica]))
        with { HostName = replica.Replica.Spec.HostName };

    /// <param name="replicas">Those of the app.</param>
    public static UsageRow Of(WebApp app, IReadOnlyList<MeasuredReplica> replicas)
    {
        // Against what the measured ones ask for: half of the use against the whole of the request would look like room to spare.
        var counted = replicas.Where(IsMeasured).Select(replica => replica.Replica).ToList();
        return Of(app.Metadata.NamespaceProperty, app.Metadata.Name, replicas, RequestsAndLimits(counted));
    }

    /// <param name="replicas">Those bound to the host.</param>
    public static UsageRow Of(DockerHost host, IReadOnlyList<MeasuredReplica> replicas)
    {
        var capacity = host.Status?.Capacity;
        var row = Of(
            null,
            host.Metadata.Name,
            replicas,
            [new UsageBound("capacity", Quantities.Find(capacity, ResourceNeeds.Cpu), Quantities.Find(capacity, ResourceNeeds.Memory))]);
        return ReplicaUsages.Problem(host) is { } problem ? row with { CpuCores = null, MemoryBytes = null, Why = problem } : row;
    }

    /// <summary>The same with what the proxies see, or why that is not all.</summary>
    public UsageRow With(AppTraffic seen) => this with
    {
        Traffic = seen.Proxies > 0 ? new(seen) : null,
        Why = seen.Problem is null ? Why : Why is null ? seen.Problem : $"{Why}; {seen.Problem}",
    };

    /// <summary>As an object, with quantities as Kubernetes' metrics API has them: nanocores and bytes.</summary>
    public JsonObject ToJson(string kind)
    {
        var metadata = new JsonObject { ["name"] = Name };
        var row = new JsonObject { ["kind"] = kind, ["metadata"] = metadata };
        if (Namespace is not null)
        {
            metadata["namespace"] = Namespace;
        }

        if (HostName is not null)
        {
            row["hostName"] = HostName;
        }

        (row["replicas"], row["measured"], row["usage"]) = (Replicas, Measured, Amounts(CpuCores, MemoryBytes));
        foreach (var bound in Bounds)
        {
            row[bound.Name] = Amounts(bound.CpuCores, bound.MemoryBytes);
        }

        if (Time is { } time)
        {
            row["timestamp"] = time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
            row["windowSeconds"] = Math.Round(Window.TotalSeconds, 3);
        }

        if (Traffic is not null)
        {
            row["traffic"] = Traffic.ToJson();
        }

        if (Why is not null)
        {
            row["message"] = Why;
        }

        return row;
    }

    private static UsageRow Of(string? @namespace, string name, IReadOnlyList<MeasuredReplica> replicas, IReadOnlyList<UsageBound> bounds)
    {
        var measured = replicas.Where(IsMeasured).ToList();
        return new UsageRow(
            @namespace,
            name,
            null,
            replicas.Count,
            measured.Count,
            replicas.Count == 0 || measured.Exists(replica => replica.Usage.CpuCores is not null) ? measured.Sum(replica => replica.Usage.CpuCores ?? 0) : null,
            replicas.Count == 0 || measured.Count > 0 ? measured.Sum(replica => (decimal)replica.Usage.MemoryBytes!.Value) : null,
            bounds,
            measured.Min(replica => replica.Usage.Time),
            measured.Select(replica => replica.Usage.Window).DefaultIfEmpty().Max(),
            WhyOf(replicas));
    }

    private static bool IsMeasured(MeasuredReplica replica) => replica.Usage.MemoryBytes is not null;

    private static string? WhyOf(IReadOnlyList<MeasuredReplica> replicas)
    {
        var problems = replicas.Select(replica => replica.Usage.Problem).OfType<string>().ToList();
        return problems.Count == 0 ? null
            : replicas.Count == 1 ? problems[0]
            : $"{problems.Count} of {replicas.Count}: {string.Join("; ", problems.Distinct().Order(StringComparer.Ordinal))}";
    }

    private static UsageBound[] RequestsAndLimits(IReadOnlyList<Replica> replicas)
    {
        // What one of them does not bound is without a bound altogether.
        decimal? Sum(Func<ResourceNeeds, decimal?> amount) =>
            replicas.Aggregate((decimal?)(replicas.Count == 0 ? null : 0), (sum, replica) => sum + (replica.Spec.Template.Resources is { } needs ? amount(needs) : null));
        return
        [
            new("request", Sum(needs => needs.Requested(ResourceNeeds.Cpu)), Sum(needs => needs.Requested(ResourceNeeds.Memory))),
            new("limit", Sum(needs => needs.Limit(ResourceNeeds.Cpu)), Sum(needs => needs.Limit(ResourceNeeds.Memory))),
        ];
    }

    private static JsonObject Amounts(decimal? cores, decimal? bytes)
    {
        var amounts = new JsonObject();
        if (cores is not null)
        {
            amounts[ResourceNeeds.Cpu] = $"{(cores.Value * 1_000_000_000).ToString("0", CultureInfo.InvariantCulture)}n";
        }

        if (bytes is not null)
        {
            amounts[ResourceNeeds.Memory] = bytes.Value.ToString("0", CultureInfo.InvariantCulture);
        }

        return amounts;
    }
}

/// <summary>Something that use is a share of: a request, a limit, a capacity. Null: there is none, or it is not known.</summary>
internal sealed record UsageBound(string Name, decimal? CpuCores, decimal? MemoryBytes);
