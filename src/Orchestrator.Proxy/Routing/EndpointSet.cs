using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>An app's endpoints and how its requests are shared among them. Never changed; swapped whole.</summary>
internal sealed class EndpointSet
{
    // Null unless both sides have endpoints: otherwise there is nothing to share.
    private readonly ReplicaEndpoint[]? _stable;
    private readonly ReplicaEndpoint[] _others = [];

    /// <param name="split">Null: all share alike.</param>
    public EndpointSet(ReplicaEndpoint[] all, TrafficSplit? split)
    {
        (All, Split) = (all, split);
        if (split is not null && Array.FindAll(all, IsStable) is { Length: > 0 } stable && stable.Length < all.Length)
        {
            (_stable, _others) = (stable, Array.FindAll(all, endpoint => !IsStable(endpoint)));
        }
    }

    public ReplicaEndpoint[] All { get; }

    public TrafficSplit? Split { get; }

    /// <summary>Whether it is on the stable side of the split. Of no meaning without one.</summary>
    public bool IsStable(ReplicaEndpoint endpoint) => endpoint.Id.Revision == Split?.Stable;

    /// <summary>Whether it is of another revision than the stable one, which has endpoints as well.</summary>
    public bool IsOnTrial(ReplicaEndpoint endpoint) => _stable is not null && !IsStable(endpoint);

    /// <summary>Where to look for the endpoint of a request: on the side that is drawn, then on the other one.</summary>
    /// <param name="again">
    /// The request has failed on one: the stable side is asked then, whatever the weight, since a new revision that is no good
    /// would fail it a second time.
    /// </param>
    public (ReplicaEndpoint[] First, ReplicaEndpoint[] Second) Draw(Random random, bool again) =>
        _stable is null ? (All, [])
        : !again && random.Next(100) < Split!.OthersPercent ? (_others, _stable)
        : (_stable, _others);
}
