using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Training;

namespace JepaSharp.Tests.Objectives;

/// <summary>data2vec keeps the contract: with published settings, with what they leave off, and with a teacher whose places are averaged.</summary>
public abstract class Data2VecContract(string section) : ObjectiveContract<Data2Vec>
{
    private readonly PretrainOptions _options = Tiny2Vec(section);

    internal static PretrainOptions Tiny2Vec(string section) => PretrainOptions.Parse($$"""
        data: { crop_size: 32, batch_size: 4, scene_count: 18, scene_size: 32, num_workers: 2 }
        mask: { patch_size: 8 }
        meta: { objective: data2vec, model_name: vit_tiny, embed_dim: 32, num_heads: 2, depth: 2 }
        data2vec: { {{section}} }
        optimization: { epochs: 3, warmup: 1, lr: 0.002, ema: [0.9, 0.99] }
        logging: { checkpoint_steps: 1 }
        """);

    protected override PretrainOptions Options => _options;

    protected override Data2Vec New() => new(new PretrainPlan(Options).Data2Vec);
}

public sealed class Data2VecContractTests() : Data2VecContract("mask_least: 2, drop_path: 0, layer_scale: 0.1");

public sealed class DroppedData2VecContractTests() : Data2VecContract(
    "mask_least: 2, drop_path: 0.25, layer_scale: 0.1, average_places: true, ema_steps: 4");

public sealed class AbsoluteData2VecContractTests() : Data2VecContract(
    "mask_least: 2, drop_path: 0, layer_scale: 0, positions: absolute, target: branch, norm_mean: false, beta: 0.12, variance: 0.3");
