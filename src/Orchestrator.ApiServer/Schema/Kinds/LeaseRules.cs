namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class LeaseRules
{
    public static void Check(KindRuleContext context)
    {
        var spec = context.Resource.Object("spec");
        if (spec.Integer("leaseDurationSeconds") is <= 0 and var duration)
        {
            context.Errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
        }

        if (spec.Integer("leaseTransitions") is < 0 and var transitions)
        {
            context.Errors.Add(FieldError.Invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
        }
    }
}
