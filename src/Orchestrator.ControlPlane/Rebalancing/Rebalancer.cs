using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>
/// Moves replicas of apps that no longer lie evenly on the hosts: one joined, came back, was uncordoned or emptied. Begins the moves; the WebApp
/// controller makes them, as it does those of a drain.
/// </summary>
internal sealed partial class Rebalancer : IDisposable
{
    /// <summary>For what no event tells, as that an app has come to rest.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    /// <summary>Nothing is urgent: what happens together is looked at together.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(10);

    private readonly SharedInformers _informers;
    private readonly Moves _moves;
    private readonly SteadyHosts _steady;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Debounce _changed;
    private readonly ITimer _again;

    public Rebalancer(SharedInformers informers, Moves moves, ILoggerFactory loggers, TimeProvider time)
    {
        (_informers, _moves, _time) = (informers, moves, time);
        _steady = new SteadyHosts(time);
        _logger = loggers.CreateLogger<Rebalancer>();
        _changed = new Debounce(Quiet, Cap, time);
        _again = time.CreateTimer(_ => _changed.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        moves.Ended = _changed.Signal;
        informers.Hosts.Subscribe(OnHost);
        informers.Replicas.Subscribe(change =>
        {
            // Gone: there is room, and its app may have come to rest.
            if (change.New is null)
            {
                _changed.Signal();
            }
        });
        informers.WebApps.Subscribe(change =>
        {
            if (change is not { Old: { } old, New: { } now } || old.Metadata.Generation != now.Metadata.Generation)
            {
                _changed.Signal();
            }
        });
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _moves.Clear();
        _steady.Begin(_informers.Hosts.Items.Values);
        _changed.Signal();
        try
        {
            while (true)
            {
                await _changed.WaitAsync(cancellationToken);
                LookOrLog();
                var next = _steady.NextIn() ?? Period;
                _again.Change(next < Period ? next : Period, Timeout.InfiniteTimeSpan);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // An orderly stop: whoever comes next finds what was begun by what there is.
        }
    }

    public void Dispose() => _again.Dispose();

    private void LookOrLog()
    {
        try
        {
            Look();
        }
        catch (Exception failure)
        {
            // Looked at again in a while, as ever.
            Log.Failed(_logger, failure);
        }
    }

    private void Look()
    {
        var hosts = _informers.Hosts.Items;

        // When most are silent the fault may be on this side, and what is known of the rest is not worth much.
        if (_moves.Room == 0 || hosts.Values.Count(HostHealth.IsSilent) * 2 > hosts.Count)
        {
            return;
        }

        var apps = _informers.WebApps.Items
            .Where(app => _moves.MayBegin(app.Key))
            .Select(app => SettledApp.Find(app.Value, _informers.Replicas.ByIndex(ReplicaIndexes.ByApp, ReplicaIndexes.AppKey(app.Key.Namespace!, app.Key.Name)), HostOf))
            .OfType<SettledApp>();
        var takers = hosts.Values.Where(SteadyHosts.TakesReplicas).Select(host => host.Metadata.Name).ToList();
        var bound = _informers.Replicas.Items.Values
            .Where(replica => replica.Spec.HostName is not null)
            .Select(replica => (replica, replica.Spec.HostName!, replica.Spec.HostPort));
        var input = new RoundInput(hosts.Values.Select(HostSnapshot.Of), bound, [], _informers.WebApps.Get) { Now = _time.GetUtcNow(), Moving = _moves.Uids };
        foreach (var (app, moves) in RebalancePlan.Make(input, apps, takers, _steady.IsSteady, _moves))
        {
            Log.Moving(_logger, moves.Count, app.Key.ToString(), moves[0].From, moves[0].To);
            _moves.Begin(app.App, AppMoves.Of(app, moves, _time.GetUtcNow()));
        }

        DockerHost? HostOf(string name) => hosts.GetValueOrDefault(new(null, name));
    }

    private void OnHost(InformerEvent<DockerHost> change)
    {
        _steady.See(change.Key.Name, change.New);
        if (change is not { Old: { } old, New: { } now }
            || old.Metadata.Generation != now.Metadata.Generation
            || SteadyHosts.TakesReplicas(old) != SteadyHosts.TakesReplicas(now))
        {
            _changed.Signal();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Moving {Count} of {App}, the first from {From} to {To}")]
        public static partial void Moving(ILogger logger, int count, string app, string from, string to);

        [LoggerMessage(Level = LogLevel.Error, Message = "A look for replicas to move failed; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
