using System.Collections.Concurrent;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Certificates;

/// <summary>
/// What one controller has found out of apps' certificates, for the next one to take up: one writer a status. The ACME controller tells the
/// certificate controller of its orders, that one tells the WebApp controller what to write into the apps' status.
/// </summary>
internal sealed class CertificateStates
{
    private readonly ConcurrentDictionary<ObjectKey, CertificateState> _states = new();

    /// <summary>Called when an app's is another, or gone.</summary>
    public Action<ObjectKey>? Changed { get; set; }

    /// <returns>Null: not looked at yet, or nothing to say.</returns>
    public CertificateState? Of(ObjectKey app) => _states.GetValueOrDefault(app);

    public void Set(ObjectKey app, CertificateState state)
    {
        if (Of(app) != state)
        {
            _states[app] = state;
            Changed?.Invoke(app);
        }
    }

    public void Forget(ObjectKey app)
    {
        if (_states.TryRemove(app, out _))
        {
            Changed?.Invoke(app);
        }
    }
}
