using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// The wish to stop: Ctrl-C, SIGTERM, or a terminal that went away. A second one means now: whoever is waiting stops waiting.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Take),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, Take),
    ];

    /// <summary>Stop, in an orderly way.</summary>
    public CancellationToken Stop => _first.Token;

    /// <summary>Stop waiting for what an orderly stop waits for.</summary>
    public CancellationToken Hurry => _second.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _first.Dispose();
        _second.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        context.Cancel = true;
        (_first.IsCancellationRequested ? _second : _first).Cancel();
    }
}
