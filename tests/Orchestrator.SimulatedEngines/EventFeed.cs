using System.Threading.Channels;

namespace Orchestrator.SimulatedEngines;

/// <summary>An engine's events, to everyone who listens.</summary>
internal sealed class EventFeed
{
    /// <summary>
    /// Events. A listener that is further behind is dropped: its stream ends, and it lists anew, as after a lost connection. A
    /// real engine lets events go in silence.
    /// </summary>
    private const int Backlog = 1024;

    private readonly Lock _lock = new();
    private readonly List<Channel<ContainerEvent>> _listeners = [];

    public Channel<ContainerEvent> Listen()
    {
        var listener = Channel.CreateBounded<ContainerEvent>(Backlog);
        lock (_lock)
        {
            _listeners.Add(listener);
        }

        return listener;
    }

    public void Leave(Channel<ContainerEvent> listener)
    {
        lock (_lock)
        {
            _listeners.Remove(listener);
        }
    }

    public void Tell(ContainerEvent happened)
    {
        lock (_lock)
        {
            _listeners.RemoveAll(listener => !listener.Writer.TryWrite(happened) && listener.Writer.TryComplete());
        }
    }
}

/// <param name="Action">Docker's word: create, start, die, destroy, update.</param>
/// <param name="ExitCode">Of a <c>die</c>.</param>
internal sealed record ContainerEvent(string Action, SimulatedContainer Container, int? ExitCode, DateTimeOffset At);
