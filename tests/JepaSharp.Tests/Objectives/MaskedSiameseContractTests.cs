using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Training;

namespace JepaSharp.Tests.Objectives;

/// <summary>MSN keeps the contract.</summary>
public sealed class MaskedSiameseContractTests : ObjectiveContract<MaskedSiamese>
{
    protected override PretrainOptions Options => MaskedSiameseTests.Options(Tiny);

    protected override MaskedSiamese New() => new(new PretrainPlan(Options).MaskedSiamese);

    protected override bool IsRounding(string network, string name) =>
        (network, name) is ("encoder" or "target_encoder", "norm.bias") or ("head" or "target_head", "0.bias" or "4.bias")
            || (network == "state" && name.EndsWith("mean", StringComparison.Ordinal));
}
