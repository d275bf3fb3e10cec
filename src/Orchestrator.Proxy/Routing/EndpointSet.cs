using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>Endpoints of which one is chosen.</summary>
/// <param name="Near">Those among them that are preferred while they have room; all of them if none is before others.</param>
internal readonly record struct EndpointSide(ReplicaEndpoint[] All, ReplicaEndpoint[] Near)
{
    public static readonly EndpointSide Empty = new([], []);

    public bool HasPreference => Near.Length < All.Length;

    /// <param name="zone">Of which are preferred; null: none.</param>
    public static EndpointSide Of(ReplicaEndpoint[] all, string? zone) =>
        new(all, zone is not null && Array.FindAll(all, endpoint => endpoint.Id.Zone == zone) is { Length: > 0 } near ? near : all);
}

/// <summary>An app's endpoints and how its requests are shared among them. Never changed; swapped whole.</summary>
internal sealed class EndpointSet
{
    private readonly EndpointSide _all;

    // Null unless both sides have endpoints: otherwise there is nothing to share.
    private readonly EndpointSide? _stable;
    private readonly EndpointSide _others;

    /// <param name="split">Null: all share alike.</param>
    /// <param name="zone">Whose endpoints are preferred; null: none.</param>
    public EndpointSet(ReplicaEndpoint[] all, TrafficSplit? split, string? zone = null)
    {
        (_all, Split) = (EndpointSide.Of(all, zone), split);
        if (split is not null && Array.FindAll(all, IsStable) is { Length: > 0 } stable && stable.Length < all.Length)
        {
            (_stable, _others) = (EndpointSide.Of(stable, zone), EndpointSide.Of(Array.FindAll(all, endpoint => !IsStable(endpoint)), zone));
        }
    }

    public ReplicaEndpoint[] All => _all.All;

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
    public (EndpointSide First, EndpointSide Second) Draw(Random random, bool again) =>
        _stable is not { } stable ? (_all, EndpointSide.Empty)
        : !again && random.Next(100) < Split!.OthersPercent ? (_others, stable)
        : (stable, _others);
}
