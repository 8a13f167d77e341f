using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Training;

namespace JepaSharp.Tests.Objectives;

/// <summary>DINO keeps the contract.</summary>
public sealed class DinoContractTests : ObjectiveContract<Dino>
{
    protected override PretrainOptions Options => SelfDistillationTests.Small(Tiny, "dino");

    protected override Dino New() => new(new PretrainPlan(Options).Dino);
}

/// <summary>So does iBOT with one last layer.</summary>
public sealed class IbotContractTests : ObjectiveContract<Ibot>
{
    protected override PretrainOptions Options => SelfDistillationTests.Small(Tiny, "ibot");

    protected override Ibot New() => new(new PretrainPlan(Options).Ibot);
}

/// <summary>And with two, and lengths that are learned.</summary>
public sealed class SeparateIbotContractTests : ObjectiveContract<Ibot>
{
    protected override PretrainOptions Options => SelfDistillationTests.Small(Tiny, "ibot").Apply(
        ["ibot.shared_head=false", "ibot.shared_head_teacher=false", "ibot.patch_out_dim=20", "ibot.norm_last_layer=false"]);

    protected override Ibot New() => new(new PretrainPlan(Options).Ibot);
}
