using System.Numerics;

namespace Orchestrator.HostAgent.Probing;

/// <summary>What a probe has found, as of its last look.</summary>
/// <param name="Passing">By Kubernetes' thresholds. Readiness and startup start as failing, liveness as passing.</param>
/// <param name="Failed">It has failed as often in a row as its threshold says: readiness is lost, or the container is to be restarted.</param>
/// <param name="Looks">Looks so far that said something, up to <see cref="ManyLooks"/>.</param>
/// <param name="Message">Of the last look, if it failed.</param>
/// <param name="OnlyLate">Of the failures in a row that it is in, each was for want of an answer in time.</param>
/// <param name="Failures">Failures in a row, up to the last look; of eager looks no more are counted than one a period.</param>
/// <param name="IsSettled">Its failures are told: it has passed before, or fails for longer than a start takes.</param>
/// <param name="IsWorthTelling">An Event's worth: it has failed as often as its threshold says, or for longer than a start takes.</param>
public sealed record ProbeVerdict(
    bool Passing, bool EverPassed, bool Failed, bool OnlyLate, int Looks, string? Message, int Failures, bool IsSettled, bool IsWorthTelling)
{
    /// <summary>Nobody asks how many more there were: a verdict that nothing changes stays the same object for days, not a new one a look.</summary>
    public const int ManyLooks = 100;
}

/// <summary>
/// One probe of one run of a container, with the kubelet's semantics: consecutive passes or failures, as many as the threshold
/// says, turn the verdict. Looks go on until it is disposed, whatever comes of one.
/// </summary>
internal sealed class ContainerProbe : IDisposable
{
    /// <summary>Looks before the first pass that a start may take: about 3 s.</summary>
    private const int EagerLooks = 7;

    private readonly ProbeSettings _settings;
    private readonly string _replicaUid;
    private readonly Func<CancellationToken, Task<ProbeOutcome>> _look;
    private readonly ProbeScheduler _scheduler;
    private readonly Action _onVerdict;
    private readonly Action<Exception> _onFault;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationToken _stop;
    private readonly Action _due;
    private volatile ProbeVerdict _verdict;
    private ProbeResult _last = ProbeResult.Unknown;

    /// <summary>Results in a row that are the last one's: all of them, and those that count towards a threshold.</summary>
    private int _row;
    private int _counted;

    /// <summary>Timestamp from which on the result of an eager look counts again.</summary>
    private long _countsFrom = long.MinValue;

    /// <param name="look">One look, within the probe's timeout.</param>
    /// <param name="passed">An earlier agent, or an earlier probe of this run, found that it passes.</param>
    /// <param name="onVerdict">Called after the very first look, and when what there is to tell has changed.</param>
    /// <param name="onFault">Told of what a look threw, other than its cancellation. Must not throw.</param>
    public ContainerProbe(
        ProbeSettings settings,
        string replicaUid,
        Func<CancellationToken, Task<ProbeOutcome>> look,
        bool passed,
        ProbeScheduler scheduler,
        Action onVerdict,
        Action<Exception> onFault,
        TimeProvider time)
    {
        _settings = settings;
        _replicaUid = replicaUid;
        _look = look;
        _scheduler = scheduler;
        _onVerdict = onVerdict;
        _onFault = onFault;
        _time = time;
        _stop = _stopped.Token;
        _due = Due;
        var isLiveness = settings.Kind == ProbeKind.Liveness;
        _verdict = new ProbeVerdict(
            isLiveness || passed, EverPassed: passed, Failed: false, OnlyLate: false, Looks: 0, Message: null, Failures: 0, IsSettled: isLiveness || passed, IsWorthTelling: false);
    }

    public ProbeVerdict Verdict => _verdict;

    /// <summary>Until its first pass the replica serves nobody.</summary>
    private bool IsEager => _settings.Kind != ProbeKind.Liveness && !_verdict.EverPassed;

    /// <param name="ranFor">How long the container has been running already.</param>
    public void Start(TimeSpan ranFor)
    {
        var initial = _settings.InitialDelay > ranFor ? _settings.InitialDelay - ranFor : TimeSpan.Zero;
        var delay = IsEager ? initial : initial + ProbePacing.ToNextTurn(_time.GetUtcNow() + initial, _settings.Period, _replicaUid);
        if (delay == TimeSpan.Zero)
        {
            Due();
        }
        else
        {
            _scheduler.Schedule(delay, _due);
        }
    }

    public void Dispose()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Due()
    {
        if (!_stop.IsCancellationRequested)
        {
            _ = LookAsync(_stop);
        }
    }

    // Nobody waits for it, so whatever happens in it is told, and the next look is scheduled: a probe that ended unseen would
    // leave its last verdict standing for ever.
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        try
        {
            var outcome = await _look(cancellationToken);
            if (!cancellationToken.IsCancellationRequested)
            {
                Take(outcome, began);
            }
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Not wanted any more: what it still said does not matter.
        }
        catch (Exception failure)
        {
            _onFault(failure);
        }

        if (!cancellationToken.IsCancellationRequested && !(_settings.Kind == ProbeKind.Startup && _verdict.Passing))
        {
            _scheduler.Schedule(ToNextLook(began), _due);
        }
    }

    private TimeSpan ToNextLook(long began)
    {
        if (!IsEager)
        {
            return ProbePacing.AfterLook(_time.GetUtcNow(), _time.GetElapsedTime(began), _settings.Period, _replicaUid);
        }

        var eager = ProbePacing.UntilFirstPass(_last == ProbeResult.Failed ? Math.Max(1, _row) : 1, _settings);
        if (_last != ProbeResult.Passed && (_settings.Kind != ProbeKind.Startup || _countsFrom == long.MinValue))
        {
            return eager;
        }

        // Results are counted once a period, and not later: failures that restart the container, and passes of which there must be several.
        var now = _time.GetTimestamp();
        var toCount = _countsFrom > now
            ? _time.GetElapsedTime(now, _countsFrom) + TimeSpan.FromMilliseconds(1)
            : ProbePacing.UntilFirstPass(failures: 1, _settings);
        return _last == ProbeResult.Passed || toCount < eager ? toCount : eager;
    }

    private void Take(ProbeOutcome outcome, long began)
    {
        // As with the kubelet: what could not be looked at changes nothing.
        if (outcome.Result == ProbeResult.Unknown)
        {
            return;
        }

        var passed = outcome.Result == ProbeResult.Passed;
        (_row, _counted) = outcome.Result == _last ? (_row + 1, _counted) : (1, 0);
        _last = outcome.Result;
        if (!IsEager || _counted == 0 || began >= _countsFrom)
        {
            _counted++;
            _countsFrom = began + (long)(_settings.Period.TotalSeconds * _time.TimestampFrequency);
        }

        var before = _verdict;
        var turns = _counted >= (passed ? _settings.SuccessThreshold : _settings.FailureThreshold);
        var eager = IsEager;
        var isLateStart = !passed && eager && (_row >= EagerLooks || (turns && _settings.Kind == ProbeKind.Startup));
        var next = new ProbeVerdict(
            turns ? passed : before.Passing,
            before.EverPassed || (turns && passed),
            !passed && (turns || before.Failed),
            outcome.IsLate && (before.OnlyLate || _row == 1),
            Math.Min(before.Looks + 1, ProbeVerdict.ManyLooks),
            passed ? null : outcome.Message,
            passed ? 0 : _counted,
            IsSettled: !eager || (turns && passed) || isLateStart,
            IsWorthTelling: eager ? isLateStart : !passed && turns);
        if (next == before)
        {
            return;
        }

        _verdict = next;
        if (IsNews(before, next))
        {
            _onVerdict();
        }
    }

    // A row of failures that goes on is told when it has doubled; what differs in its text only, each time: who writes it down
    // spaces it (Status/ProbeReport).
    private static bool IsNews(ProbeVerdict before, ProbeVerdict next) =>
        before.Looks == 0
        || before.Passing != next.Passing
        || before.Failed != next.Failed
        || (next.IsWorthTelling && !before.IsWorthTelling)
        || (before is { IsSettled: true, Failures: > 0 } && next.Failures == 0)
        || (next.IsSettled && next.Message is not null
            && (next.Message != before.Message || (next.Failures != before.Failures && BitOperations.IsPow2(next.Failures))));
}
