namespace Orchestrator.HostAgent.Probing;

/// <summary>What a probe has found, as of its last look.</summary>
/// <param name="Passing">By Kubernetes' thresholds. Readiness starts as failing, liveness as passing.</param>
/// <param name="Looks">Looks so far that said something.</param>
/// <param name="Message">Of the last look, if it failed.</param>
/// <param name="Failures">Failed looks in a row, up to the last.</param>
public sealed record ProbeVerdict(bool Passing, bool EverPassed, int Looks, string? Message, int Failures);

/// <summary>
/// One probe of one run of a container, with the kubelet's semantics: consecutive passes or failures, as many as the threshold
/// says, turn the verdict.
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
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationToken _stop;
    private volatile ProbeVerdict _verdict;
    private ProbeResult _last = ProbeResult.Unknown;
    private int _run;

    /// <param name="look">One look, within the probe's timeout; throws nothing but the cancellation.</param>
    /// <param name="adopted">A run whose readiness an earlier agent found and wrote down.</param>
    /// <param name="onVerdict">Called after the very first look, when the verdict has changed, and when failing is worth telling.</param>
    public ContainerProbe(
        ProbeSettings settings,
        string replicaUid,
        Func<CancellationToken, Task<ProbeOutcome>> look,
        bool adopted,
        ProbeScheduler scheduler,
        Action onVerdict,
        TimeProvider time)
    {
        _settings = settings;
        _replicaUid = replicaUid;
        _look = look;
        _scheduler = scheduler;
        _onVerdict = onVerdict;
        _time = time;
        _stop = _stopped.Token;
        _verdict = new ProbeVerdict(settings.Kind == ProbeKind.Liveness || adopted, EverPassed: adopted, Looks: 0, Message: null, Failures: 0);
    }

    public ProbeSettings Settings => _settings;

    public ProbeVerdict Verdict => _verdict;

    /// <param name="ranFor">How long the container has been running already.</param>
    public void Start(TimeSpan ranFor)
    {
        var initial = _settings.InitialDelay > ranFor ? _settings.InitialDelay - ranFor : TimeSpan.Zero;
        var spread = _settings.Kind == ProbeKind.Liveness || _verdict.EverPassed;
        var delay = spread ? initial + ProbePacing.ToNextTurn(_time.GetUtcNow() + initial, _settings.Period, _replicaUid) : initial;
        if (delay == TimeSpan.Zero)
        {
            Due();
        }
        else
        {
            _scheduler.Schedule(delay, Due);
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

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        ProbeOutcome outcome;
        try
        {
            outcome = await _look(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        Take(outcome);
        _scheduler.Schedule(
            _settings.Kind == ProbeKind.Readiness && !_verdict.EverPassed
                ? ProbePacing.UntilFirstPass(Math.Max(1, _verdict.Failures), _settings)
                : ProbePacing.ToNextTurn(_time.GetUtcNow(), _settings.Period, _replicaUid),
            Due);
    }

    /// <summary>It has just failed for longer than a start takes, or as often as its threshold says.</summary>
    public bool IsWorthTelling(ProbeVerdict verdict) =>
        verdict.Failures == (verdict.EverPassed || _settings.Kind == ProbeKind.Liveness ? _settings.FailureThreshold : EagerLooks);

    private void Take(ProbeOutcome outcome)
    {
        // As with the kubelet: what could not be looked at changes nothing.
        if (outcome.Result == ProbeResult.Unknown)
        {
            return;
        }

        _run = outcome.Result == _last ? _run + 1 : 1;
        _last = outcome.Result;
        var before = _verdict;
        var passed = outcome.Result == ProbeResult.Passed;
        var turns = _run >= (passed ? _settings.SuccessThreshold : _settings.FailureThreshold);
        _verdict = new ProbeVerdict(
            turns ? passed : before.Passing,
            before.EverPassed || (turns && passed),
            before.Looks + 1,
            passed ? null : outcome.Message,
            passed ? 0 : _run);
        if (before.Looks == 0 || before.Passing != _verdict.Passing || IsWorthTelling(_verdict))
        {
            _onVerdict();
        }
    }
}
