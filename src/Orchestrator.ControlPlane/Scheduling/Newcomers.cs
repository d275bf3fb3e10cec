using System.Collections.Concurrent;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Replicas that are to be created, until a round has decided for them.</summary>
/// <param name="assumed">Keeps what is decided for them until they are there.</param>
/// <param name="wake">Brings a round about.</param>
internal sealed class Newcomers(Assumptions assumed, Action wake)
{
    private const string UidPrefix = "to-be-created/";

    private readonly ConcurrentQueue<Request> _requests = new();
    private volatile bool _isOpen;

    /// <summary>Whether the Replica is one of those, and not of the server's.</summary>
    public static bool Contain(Replica replica) => replica.Metadata.Uid.StartsWith(UidPrefix, StringComparison.Ordinal);

    /// <summary>Rounds come that will answer.</summary>
    public void Open() => _isOpen = true;

    /// <summary>No further round comes: whoever waits, or asks from now on, gets no places.</summary>
    public void Close()
    {
        _isOpen = false;
        Answer(TakeAll(), []);
    }

    /// <inheritdoc cref="IPlacer.ReserveAsync"/>
    public async Task<Reservation> ReserveAsync(IReadOnlyList<Replica> wanted, CancellationToken cancellationToken)
    {
        var request = new Request([.. wanted.Select(Unborn)]);
        _requests.Enqueue(request);
        wake();
        if (!_isOpen)
        {
            Answer(TakeAll(), []);
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (request, token) => ((Request)request!).Answer.TrySetCanceled(token), request);
        return await request.Answer.Task;
    }

    /// <summary>Those that are still waited for: who has given up may have asked for the same Replicas again.</summary>
    public List<Request> TakeAll()
    {
        var taken = new List<Request>();
        while (_requests.TryDequeue(out var request))
        {
            if (!request.Answer.Task.IsCompleted)
            {
                taken.Add(request);
            }
        }

        return taken;
    }

    /// <param name="requests">What was taken.</param>
    /// <param name="decisions">Those of the round; none when it failed.</param>
    public void Answer(List<Request> requests, IEnumerable<Decision> decisions)
    {
        var byUid = decisions.ToDictionary(decision => decision.Replica.Metadata.Uid, StringComparer.Ordinal);
        foreach (var request in requests)
        {
            var placed = request.Wanted.Select(replica => byUid.GetValueOrDefault(replica.Metadata.Uid)).OfType<Placed>().ToList();
            placed.ForEach(assumed.Add);
            var reservation = new Reservation(placed, Release);
            if (request.Answer.TrySetResult(reservation))
            {
                SchedulingMetrics.Scheduled.Inc(reservation.Count);
            }
            else
            {
                // Nobody waits for it any more.
                reservation.Dispose();
            }
        }
    }

    private void Release(IEnumerable<Placed> placed)
    {
        foreach (var one in placed)
        {
            assumed.Remove(one.Replica);
        }

        // What was not created leaves room for those that wait.
        wake();
    }

    // Rounds tell Replicas apart by uid, and the server gives it one only then.
    private static Replica Unborn(Replica wanted) => new()
    {
        Metadata = new() { Name = wanted.Metadata.Name, NamespaceProperty = wanted.Metadata.NamespaceProperty, Uid = $"{UidPrefix}{ObjectKey.Of(wanted)}" },
        Spec = wanted.Spec,
    };

    public sealed class Request(IReadOnlyList<Replica> wanted)
    {
        public IReadOnlyList<Replica> Wanted => wanted;

        public TaskCompletionSource<Reservation> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
