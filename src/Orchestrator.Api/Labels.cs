namespace Orchestrator.Api;

/// <summary>Labels on API objects and, with the same keys, on containers: a container says by itself whose it is.</summary>
public static class Labels
{
    /// <summary>Name of the WebApp. On Replicas and containers.</summary>
    public const string App = "orchestrator.dev/app";

    /// <summary>Revision hash of the template (<see cref="RevisionHash"/>). On Replicas and containers.</summary>
    public const string Revision = "orchestrator.dev/revision";

    /// <summary>Name of the DockerHost a Replica is bound to. Set by the scheduler with the binding.</summary>
    public const string Host = "orchestrator.dev/host";

    /// <summary>Namespace of the Replica. On containers.</summary>
    public const string Namespace = "orchestrator.dev/namespace";

    /// <summary>Name of the Replica. On containers.</summary>
    public const string Replica = "orchestrator.dev/replica";

    /// <summary>Uid of the Replica: a container of an earlier Replica of the same name is not this one's. On containers.</summary>
    public const string ReplicaUid = "orchestrator.dev/replica-uid";

    /// <summary>
    /// Uid of the installation's <see cref="ApiGroup.SystemNamespace"/>. A container without this very value is somebody
    /// else's and is never touched. On containers.
    /// </summary>
    public const string Instance = "orchestrator.dev/instance";

    /// <summary>Which part of the installation an object belongs to, such as <see cref="ProxyComponent"/>. On Leases.</summary>
    public const string Component = "orchestrator.dev/component";

    public const string ProxyComponent = "proxy";
}

/// <summary>Annotations that parts leave for each other.</summary>
public static class Annotations
{
    /// <summary>
    /// On a proxy's Lease: comma separated uids of deleting Replicas that this proxy sends nothing new to and has nothing in
    /// flight for (docs/design/draining.md).
    /// </summary>
    public const string Drained = "orchestrator.dev/drained";

    /// <summary>
    /// On a proxy's Lease: ports that routes name and the proxy cannot listen on, each with the reason, as in
    /// <c>9090: Address already in use; 80: Permission denied</c>; also claims (<see cref="WebApps.RouteClaim"/>) at which the proxy
    /// serves another app, because the port is that of its shared listener. Absent when all is well.
    /// </summary>
    public const string ListenerErrors = "orchestrator.dev/listener-errors";

    /// <summary>The place, in <see cref="ListenerErrors"/>, that stands for the shared TLS listener.</summary>
    public const string TlsListener = "the TLS listener";

    /// <summary>
    /// On a proxy's Lease: what it has seen of canaries under way, as <see cref="WebApps.CanaryObservation.Write"/> gives it. Absent when
    /// there are none.
    /// </summary>
    public const string Canaries = "orchestrator.dev/canaries";

    /// <summary>
    /// On a proxy's Lease: what it sees of the requests of each app, as <see cref="WebApps.TrafficReport.Write"/> gives it. Absent when it serves
    /// none.
    /// </summary>
    public const string Traffic = "orchestrator.dev/traffic";

    /// <summary>
    /// On a proxy's Lease: comma separated tokens of the challenges (<see cref="WebApps.ProxySecrets.ChallengesType"/>) that it answers. Absent
    /// when there are none.
    /// </summary>
    public const string Challenges = "orchestrator.dev/challenges";

    /// <summary>On a Secret with a certificate that was ordered: URL of the directory of the authority that it is of.</summary>
    public const string AcmeDirectory = "orchestrator.dev/acme-directory";

    /// <summary>
    /// On a WebApp, by its user: <c>REVISION/STEP</c> ends that step of the canary of that revision, counted from 0;
    /// <c>REVISION/all</c> ends all of them.
    /// </summary>
    public const string Promote = "orchestrator.dev/promote";

    /// <summary>On a WebApp, by its user: the revision whose rollout is to be taken back.</summary>
    public const string Abort = "orchestrator.dev/abort";

    /// <summary>On a Secret of <see cref="ApiGroup.ProxyNamespace"/>: uid of the WebApp that it is for.</summary>
    public const string AppUid = "orchestrator.dev/app-uid";

    /// <summary>On a WebApp: run an earlier revision's content (<see cref="Contents.ContentStandIn"/>). Written by an undo.</summary>
    public const string Content = "orchestrator.dev/content";
}

/// <summary>Finalizers: who must have finished before an object may go.</summary>
public static class Finalizers
{
    /// <summary>On a bound Replica: its host agent has still to drain, stop and remove the container.</summary>
    public const string Container = "orchestrator.dev/container";

    /// <summary>On a WebApp: its Replicas have still to go.</summary>
    public const string Replicas = "orchestrator.dev/replicas";

    /// <summary>On a DockerHost: Replicas bound to it have still to go.</summary>
    public const string Host = "orchestrator.dev/host";
}
