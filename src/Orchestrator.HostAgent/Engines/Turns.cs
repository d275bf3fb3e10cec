namespace Orchestrator.HostAgent.Engines;

/// <summary>Lets so many in at a time, in the order in which they came. Unlike a semaphore it may be left to itself while some wait.</summary>
internal sealed class Turns(int width)
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private int _taken;

    /// <returns>To be disposed of at its end.</returns>
    public async Task<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (_taken < width)
            {
                _taken++;
                return new Turn(this);
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        using (cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken)))
        {
            await turn.Task;
        }

        return new Turn(this);
    }

    private void Leave()
    {
        lock (_gate)
        {
            // Who has given up meanwhile is passed over.
            while (_waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                {
                    return;
                }
            }

            _taken--;
        }
    }

    internal sealed class Turn(Turns owner) : IDisposable
    {
        private int _left;

        /// <summary>Leaves; a second time does nothing.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                owner.Leave();
            }
        }
    }
}
