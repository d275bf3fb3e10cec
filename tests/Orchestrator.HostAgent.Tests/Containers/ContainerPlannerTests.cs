using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Tests.Containers;

public sealed class ContainerPlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, Situation, ContainerStep> Staying { get; } = new()
    {
        { "there is none", new(), ContainerStep.Create },
        { "there is none, and the last try failed", new() { BackingOff = true }, ContainerStep.Wait },
        { "made and not started", new() { State = ContainerState.Created }, ContainerStep.Start },
        { "made and not started: its port was taken", new() { State = ContainerState.Created, BackingOff = true }, ContainerStep.Wait },
        { "made from something else and never started", new() { State = ContainerState.Created, Current = false }, ContainerStep.Discard },
        { "runs", new() { State = ContainerState.Running }, ContainerStep.Wait },
        { "runs, made from something else", new() { State = ContainerState.Running, Current = false }, ContainerStep.Wait },
        { "runs, liveness failed", new() { State = ContainerState.Running, RestartWanted = true }, ContainerStep.Restart },
        { "runs, its postStart hook is due", new() { State = ContainerState.Running, PostStartDue = true }, ContainerStep.PostStart },
        { "runs, its postStart hook could not be run", new() { State = ContainerState.Running, PostStartDue = true, BackingOff = true }, ContainerStep.Wait },
        { "runs in a crash loop that we own, its postStart hook is due", new() { State = ContainerState.Running, Always = false, ShortRuns = 3, RanFor = 1, PostStartDue = true }, ContainerStep.PostStart },
        { "paused, its postStart hook is due", new() { State = ContainerState.Paused, PostStartDue = true }, ContainerStep.Wait },
        { "runs with the policy of another time", new() { State = ContainerState.Running, Always = false }, ContainerStep.LetEngineRestart },
        { "runs, in a crash loop that we own, for a moment", new() { State = ContainerState.Running, Always = false, ShortRuns = 3, RanFor = 5 }, ContainerStep.Wait },
        { "runs, in a crash loop that we own, and stays up", new() { State = ContainerState.Running, Always = false, ShortRuns = 3, RanFor = 10 }, ContainerStep.LetEngineRestart },
        { "runs, in a crash loop that the engine owns", new() { State = ContainerState.Running, ShortRuns = 3, RanFor = 1 }, ContainerStep.KeepEngineFromRestarting },
        { "crashed once: the engine's", new() { State = ContainerState.Restarting, ShortRuns = 1 }, ContainerStep.Wait },
        { "crashed three times in a row", new() { State = ContainerState.Restarting, ShortRuns = 3 }, ContainerStep.KeepEngineFromRestarting },
        { "ended in our crash loop, just now", new() { State = ContainerState.Exited, Always = false, ShortRuns = 3, EndedFor = 9 }, ContainerStep.Wait },
        { "ended in our crash loop, its back-off is over", new() { State = ContainerState.Exited, Always = false, ShortRuns = 3, EndedFor = 10 }, ContainerStep.Start },
        { "ended in our crash loop, its second back-off runs", new() { State = ContainerState.Exited, Always = false, ShortRuns = 4, EndedFor = 19 }, ContainerStep.Wait },
        { "ended in our crash loop, its back-off is over, the start failed", new() { State = ContainerState.Exited, Always = false, ShortRuns = 3, EndedFor = 10, BackingOff = true }, ContainerStep.Wait },
        { "the engine gave it up, or somebody stopped it", new() { State = ContainerState.Exited }, ContainerStep.Start },
        { "stopped, and its policy taken away", new() { State = ContainerState.Exited, Always = false }, ContainerStep.LetEngineRestart },
        { "ended, and its address is not the host's", new() { State = ContainerState.Exited, Current = false, BackingOff = true }, ContainerStep.Wait },
        { "ended, and its address is no longer what the host says", new() { State = ContainerState.Exited, Current = false, AddressMended = true }, ContainerStep.Discard },
        { "ended in a crash loop, and its address is no longer what the host says", new() { State = ContainerState.Exited, ShortRuns = 3, Current = false, AddressMended = true }, ContainerStep.Discard },
        { "stopped, and its start failed", new() { State = ContainerState.Exited, BackingOff = true }, ContainerStep.Wait },
        { "paused by somebody", new() { State = ContainerState.Paused }, ContainerStep.Wait },
        { "left over by a removal", new() { State = ContainerState.Dead }, ContainerStep.Discard },
        { "left over by a removal that failed just now", new() { State = ContainerState.Dead, BackingOff = true }, ContainerStep.Wait },
        { "runs in a crash loop that could not be taken over", new() { State = ContainerState.Running, ShortRuns = 3, RanFor = 1, BackingOff = true }, ContainerStep.Wait },
        { "being removed", new() { State = ContainerState.Removing }, ContainerStep.Wait },
    };

    public static TheoryData<string, Situation, ContainerStep> Leaving { get; } = new()
    {
        { "there is none", new(), ContainerStep.Release },
        { "never started", new() { State = ContainerState.Created }, ContainerStep.StopAndRemove },
        { "runs, proxies still use it", new() { State = ContainerState.Running, Draining = true }, ContainerStep.Wait },
        { "runs, drained", new() { State = ContainerState.Running }, ContainerStep.StopAndRemove },
        { "runs, drained, its postStart hook is due", new() { State = ContainerState.Running, PostStartDue = true }, ContainerStep.StopAndRemove },
        { "paused, proxies still use it", new() { State = ContainerState.Paused, Draining = true }, ContainerStep.Wait },
        { "between crashes: serves nobody", new() { State = ContainerState.Restarting, Draining = true }, ContainerStep.StopAndRemove },
        { "ended", new() { State = ContainerState.Exited, Draining = true }, ContainerStep.StopAndRemove },
        { "left over by a removal", new() { State = ContainerState.Dead }, ContainerStep.StopAndRemove },
        { "being removed", new() { State = ContainerState.Removing }, ContainerStep.Wait },
        { "runs, drained, its removal failed just now", new() { State = ContainerState.Running, BackingOff = true }, ContainerStep.Wait },
        { "gone, whatever failed before", new() { BackingOff = true }, ContainerStep.Release },
    };

    [Theory]
    [MemberData(nameof(Staying))]
    public void A_replica_that_is_to_run(string when, Situation situation, ContainerStep step) =>
        Assert.True(step == Plan(situation, deleting: false).Step, $"{when}: {Plan(situation, deleting: false)}");

    [Theory]
    [MemberData(nameof(Leaving))]
    public void A_replica_that_is_deleted(string when, Situation situation, ContainerStep step) =>
        Assert.True(step == Plan(situation, deleting: true).Step, $"{when}: {Plan(situation, deleting: true)}");

    [Fact]
    public void A_wait_with_an_end_says_when()
    {
        Assert.Equal(Now.AddSeconds(30), Plan(new() { BackingOff = true }, deleting: false).LookAgainAt);
        Assert.Equal(Now.AddSeconds(5), Plan(new() { State = ContainerState.Running, Always = false, ShortRuns = 3, RanFor = 5 }, deleting: false).LookAgainAt);
        Assert.Equal(Now.AddSeconds(1), Plan(new() { State = ContainerState.Exited, Always = false, ShortRuns = 3, EndedFor = 9 }, deleting: false).LookAgainAt);
        Assert.Equal(Now.AddSeconds(20), Plan(new() { State = ContainerState.Running, Draining = true }, deleting: true).LookAgainAt);
    }

    private static ContainerPlan Plan(Situation situation, bool deleting) => ContainerPlanner.Next(
        new ContainerSituation(
            situation.State is { } state ? Snapshots.Of(state, situation.Always, Now.AddSeconds(-situation.RanFor), Now.AddSeconds(-situation.EndedFor)) : null,
            situation.Current,
            situation.AddressMended,
            RunHistory.From(null) with
            {
                ShortRuns = situation.ShortRuns,
                RunSeenAt = Now.AddSeconds(-situation.RanFor),
                EndSeenAt = Now.AddSeconds(-situation.EndedFor),
            },
            deleting,
            situation.Draining ? Now.AddSeconds(20) : null,
            situation.BackingOff ? Now.AddSeconds(30) : null,
            situation.PostStartDue,
            situation.RestartWanted),
        Now);

    public sealed record Situation
    {
        public ContainerState? State { get; init; }

        public bool Always { get; init; } = true;

        public bool Current { get; init; } = true;

        public bool AddressMended { get; init; }

        public int ShortRuns { get; init; }

        public int RanFor { get; init; } = 60;

        public int EndedFor { get; init; }

        public bool BackingOff { get; init; }

        public bool Draining { get; init; }

        public bool PostStartDue { get; init; }

        public bool RestartWanted { get; init; }
    }
}
