using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Room and ports that are held for Replicas about to be created. Once disposed of, they are those Replicas' that the cache has by then.
/// </summary>
internal sealed class Reservation : IDisposable
{
    /// <summary>All are created unbound, and wait like any others.</summary>
    public static readonly Reservation None = new([], _ => { });

    private readonly Dictionary<string, Placed> _byName;
    private readonly Action<IEnumerable<Placed>> _release;

    /// <param name="placed">Of one namespace.</param>
    /// <param name="release">Ends the holding.</param>
    public Reservation(IEnumerable<Placed> placed, Action<IEnumerable<Placed>> release)
    {
        _release = release;
        _byName = placed.ToDictionary(one => one.Replica.Metadata.Name, StringComparer.Ordinal);
    }

    public int Count => _byName.Count;

    /// <summary>Gives the Replica its place, if there is one for it.</summary>
    public void Bind(Replica wanted)
    {
        if (_byName.TryGetValue(wanted.Metadata.Name, out var placed))
        {
            Binder.Bind(wanted, placed);
        }
    }

    public void Dispose() => _release(_byName.Values);
}
