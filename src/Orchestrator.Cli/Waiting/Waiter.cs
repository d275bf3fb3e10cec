using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Runtime.Clients;
using Spectre.Console;

namespace Orchestrator.Cli.Waiting;

/// <param name="Namespace">Null for a cluster-wide kind.</param>
/// <param name="Uid">The very object; another of its name does not count. Null when any does.</param>
internal sealed record Awaited(ResourceKind Kind, string? Namespace, string Name, string? Uid = null)
{
    public override string ToString() => $"{Kind.Label}/{Name}";
}

/// <summary>Waits for objects to become ready or to go, and shows what is missing (<see cref="IWaitingView"/>).</summary>
/// <param name="timeout">For the waiting: at each object one look is taken, however short it is, since there is nothing to say otherwise.</param>
internal sealed class Waiter(Session session, TimeSpan timeout)
{
    /// <summary>Short enough not to be felt, and a request of half a millisecond.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan FirstLookTimeout = TimeSpan.FromSeconds(10);

    /// <summary>For the last look, which is not to hang where the others did not.</summary>
    private static readonly TimeSpan ReasonTimeout = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Awaited, string> _told = [];

    /// <summary>Apps that are not ready and do not say why.</summary>
    private readonly HashSet<Awaited> _unexplained = [];

    /// <exception cref="CommandException">
    /// Not in time: says what is missing. Or one was deleted meanwhile, or the rollout of one has failed: then the others are waited for no longer.
    /// </exception>
    public Task UntilReadyAsync(IReadOnlyList<Awaited> objects, CancellationToken cancellationToken) =>
        UntilAsync(objects, ReadyAsync, "become ready", cancellationToken);

    /// <exception cref="CommandException">Not in time: says what is still there.</exception>
    public Task UntilGoneAsync(IReadOnlyList<Awaited> objects, CancellationToken cancellationToken) =>
        UntilAsync(objects, GoneAsync, "go", cancellationToken);

    /// <exception cref="CommandException">Not in time: says what is left and what keeps it. Or it is not to be drained any more.</exception>
    public Task UntilDrainedAsync(IReadOnlyList<Awaited> hosts, CancellationToken cancellationToken) =>
        UntilAsync(hosts, new HostDrain(session).LookAsync, "drain", cancellationToken);

    private async Task UntilAsync(
        IReadOnlyList<Awaited> objects, Func<Awaited, CancellationToken, Task<Readiness>> look, string what, CancellationToken cancellationToken)
    {
        var began = session.Time.GetTimestamp();
        using var limit = new CancellationTokenSource(timeout > FirstLookTimeout ? timeout : FirstLookTimeout, session.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var console = session.Terminal.RichError();
            var failed = session.Terminal.CanAnimate
                ? await console.Live(new Text("waiting")).AutoClear(true).StartAsync(
                    display => LoopAsync(objects, look, new LiveView(session, console, display), SeenAll, either.Token))
                : await LoopAsync(objects, look, new LineView(session.Terminal), SeenAll, either.Token);
            if (failed is var (one, seen))
            {
                throw await new FailedRollout(session).TellAsync(one, seen, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            foreach (var one in _unexplained)
            {
                _told[one] += await WhyAsync(one, cancellationToken);
            }

            var missing = _told.Count > 0 ? string.Join("; ", _told.Select(one => $"{one.Key}: {one.Value}")) : "the API server did not answer";
            throw new CommandException(ExitCodes.TimedOut, $"did not {what} within {(timeout < TimeSpan.FromSeconds(1) ? $"{timeout.TotalMilliseconds:0}ms" : Output.Durations.Age(timeout))}: {missing}");
        }

        void SeenAll()
        {
            var left = timeout - session.Time.GetElapsedTime(began);
            limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    /// <returns>The one that has failed; null when all are as awaited.</returns>
    private async Task<(Awaited, Readiness)?> LoopAsync(
        IReadOnlyList<Awaited> objects, Func<Awaited, CancellationToken, Task<Readiness>> look, IWaitingView view, Action seenAll, CancellationToken cancellationToken)
    {
        var left = objects.ToList();
        while (true)
        {
            foreach (var one in left.ToList())
            {
                var seen = await look(one, cancellationToken);
                _ = seen.IsExplained ? _unexplained.Remove(one) : _unexplained.Add(one);
                if (seen.FailedRevision is not null)
                {
                    return (one, seen);
                }

                if (seen.Ready)
                {
                    left.Remove(one);
                    _told.Remove(one);
                    view.Done(one, seen.Message);
                }
                else if (_told.GetValueOrDefault(one) != seen.Message)
                {
                    _told[one] = seen.Message;
                    view.Changed(one, seen.Message);
                }
            }

            if (left.Count == 0)
            {
                return null;
            }

            seenAll();
            await view.ShowAsync([.. left.Select(one => (one, _told[one]))], cancellationToken);
            await Task.Delay(Pause, session.Time, cancellationToken);
        }
    }

    private async Task<Readiness> ReadyAsync(Awaited one, CancellationToken cancellationToken)
    {
        try
        {
            return Readiness.Of(await session.Api.GetAsync(one.Kind.Path(one.Namespace, one.Name), cancellationToken));
        }
        catch (NotFoundException)
        {
            throw CommandException.Failed($"{one} was deleted while it was waited for");
        }
    }

    /// <summary>What an app's replicas say, to be appended; "" when they say nothing, or cannot be asked.</summary>
    private async Task<string> WhyAsync(Awaited app, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ReasonTimeout, session.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, either.Token);
            var scope = new ListScope(kind, app.Namespace, null, $"{Labels.App}={app.Name}", null);
            await foreach (var chunk in ListScope.ListAsync(session.Api, scope, ApiConnection.Json, either.Token))
            {
                if (Readiness.Problem((chunk["items"] as JsonArray ?? []).OfType<JsonObject>()) is { } problem)
                {
                    return $": {problem}";
                }
            }
        }
        catch (Exception failure) when (failure is ApiException or CommandException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // That the time is up is what there is to say.
        }

        return "";
    }

    private async Task<Readiness> GoneAsync(Awaited one, CancellationToken cancellationToken)
    {
        try
        {
            var live = await session.Api.GetAsync(one.Kind.Path(one.Namespace, one.Name), cancellationToken);
            return one.Uid is not null && (string?)live["metadata"]?["uid"] != one.Uid
                ? new(true, "deleted (another of its name is there)")
                : new(false, live["metadata"]?["finalizers"] is { } finalizers ? $"waiting for {finalizers.ToJsonString()}" : "still there");
        }
        catch (NotFoundException)
        {
            return new(true, "deleted");
        }
    }
}
