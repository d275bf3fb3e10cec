using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>
/// Which replicas to move so that their apps lie more evenly on the hosts. Where to is for the scheduler to say, by its own filters and
/// scores: a replica moves only if it would go elsewhere were it placed now, and to a host that has at least
/// <see cref="Evenness.LeastDifference"/> replicas of its app fewer. Pure.
/// </summary>
internal static class RebalancePlan
{
    /// <param name="hosts">Names of those that take replicas.</param>
    /// <param name="isSteady">Whether running replicas may be moved on to a host.</param>
    /// <param name="underWay">How many are under way, and how many more may begin.</param>
    public static IReadOnlyList<(SettledApp App, IReadOnlyList<Move> Moves)> Make(
        RoundInput input, IEnumerable<SettledApp> apps, IReadOnlyCollection<string> hosts, Func<string, bool> isSteady, Moves underWay)
    {
        var (room, isFirst) = (underWay.Room, underWay.Count == 0);
        PlacementRound? round = null;
        var planned = new List<(SettledApp, IReadOnlyList<Move>)>();
        foreach (var app in apps
            .Where(app => MayBeUneven(app, hosts))
            .OrderByDescending(app => app.Most)
            .ThenBy(app => app.Key.Namespace, StringComparer.Ordinal)
            .ThenBy(app => app.Key.Name, StringComparer.Ordinal))
        {
            if (room == 0)
            {
                break;
            }

            if (app.MovesAlone && !isFirst)
            {
                continue;
            }

            round ??= new PlacementRound(input, []);
            if (MovesOf(app, round, isSteady, Math.Min(room, app.Limit)) is { Count: > 0 } moves)
            {
                planned.Add((app, moves));
                isFirst = false;
                room = app.MovesAlone ? 0 : room - moves.Count;
            }
        }

        return planned;
    }

    /// <summary>Tells nearly all apps from those that a round has to be made for.</summary>
    private static bool MayBeUneven(SettledApp app, IReadOnlyCollection<string> hosts)
    {
        var least = app.Most - Evenness.LeastDifference;
        return least >= 0 && hosts.Any(host => (app.ByHost.GetValueOrDefault(host)?.Count ?? 0) <= least);
    }

    private static List<Move> MovesOf(SettledApp app, PlacementRound round, Func<string, bool> isSteady, int most)
    {
        var moves = new List<Move>();
        var left = app.ByHost.ToDictionary(host => host.Key, host => host.Value.OrderByDescending(Age).ThenBy(Name, StringComparer.Ordinal).ToList(), StringComparer.Ordinal);
        var arrived = new Dictionary<string, int>(StringComparer.Ordinal);
        while (moves.Count < most && Next() is { } next)
        {
            round.Relocate(next);
            left[next.From.Host.Name].Remove(next.Replica);
            arrived[next.To.Host.Name] = arrived.GetValueOrDefault(next.To.Host.Name) + 1;
            moves.Add(new(next.Replica, next.From.Host.Name, next.To.Host.Name, next.FromCount, next.ToCount));
        }

        return moves;

        // From the host that has most, and of its replicas the youngest: an old one has proved itself, and holds warm caches.
        Relocation? Next()
        {
            foreach (var (host, replicas) in left
                .Where(host => host.Value.Count > 0)
                .OrderByDescending(host => host.Value.Count + arrived.GetValueOrDefault(host.Key))
                .ThenBy(host => host.Key, StringComparer.Ordinal))
            {
                if (replicas.Count + arrived.GetValueOrDefault(host) < Evenness.LeastDifference)
                {
                    break;
                }

                if (round.FindBetter(replicas[^1]) is { } better && better.FromCount - better.ToCount >= Evenness.LeastDifference && isSteady(better.To.Host.Name))
                {
                    return better;
                }
            }

            return null;
        }
    }

    // The youngest last.
    private static TimeSpan Age(Replica replica) => DateTime.MaxValue - (replica.Metadata.CreationTimestamp ?? DateTime.MaxValue);

    private static string Name(Replica replica) => replica.Metadata.Name;
}
