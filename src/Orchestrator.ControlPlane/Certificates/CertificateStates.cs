using System.Collections.Concurrent;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Certificates;

/// <summary>What the certificate controller has found out, for the WebApp controller to write into the apps' status: one writer a status.</summary>
internal sealed class CertificateStates
{
    private readonly ConcurrentDictionary<ObjectKey, CertificateState> _states = new();

    /// <summary>Called when an app's is another.</summary>
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

    public void Forget(ObjectKey app) => _states.TryRemove(app, out _);
}
