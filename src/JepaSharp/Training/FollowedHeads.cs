using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Weights;

namespace JepaSharp.Training;

/// <summary>The heads of DINO and iBOT that begun weights hold, as options: by the shapes of their first and last matrices.</summary>
internal static class FollowedHeads
{
    private const string Directions = ".weight_v";

    /// <summary>DINO's; the options as they are where the weights are of something else.</summary>
    public static DinoSection Of(PretrainedWeights weights, DinoSection dino) => weights.Objective != Dino.ShortName ? dino : dino with
    {
        OutDim = Rows(weights, ProjectionHead.LastLayer + Directions) ?? dino.OutDim,
        HeadHidden = Rows(weights, "mlp.0.weight") ?? dino.HeadHidden,
        HeadBottleneck = Rows(weights, "mlp.4.weight") ?? dino.HeadBottleneck,
    };

    /// <summary>iBOT's, with one last layer or two.</summary>
    public static IbotSection Of(PretrainedWeights weights, IbotSection ibot)
    {
        if (weights.Objective != Ibot.ShortName || Rows(weights, ProjectionHead.LastLayer + Directions) is not { } outputs) return ibot;
        var ofPatches = Rows(weights, ProjectionHead.PatchLayer + Directions);
        return ibot with
        {
            OutDim = outputs,
            PatchOutDim = ofPatches ?? outputs,
            SharedHead = ofPatches is null,
            SharedHeadTeacher = ofPatches is null,
            HeadHidden = Rows(weights, "mlp.0.weight") ?? ibot.HeadHidden,
            HeadBottleneck = Rows(weights, "mlp.4.weight") ?? ibot.HeadBottleneck,
        };
    }

    /// <summary>A side that goes with small views of followed weights: as it is where patches divide it and the large views are larger.</summary>
    public static ViewSection Of(ViewSection views, int side, int patch) => views.LocalSize % patch == 0 && views.LocalSize < side
        ? views
        : views with { LocalSize = Math.Max(1, side / patch / 2) * patch };

    private static int? Rows(PretrainedWeights weights, string name) =>
        weights.Tensors.TryGetValue($"student_head.{name}", out var tensor) ? (int)tensor.Shape[0] : null;
}
