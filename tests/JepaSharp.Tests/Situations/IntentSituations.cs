using JepaSharp.Tests.Data;
using JepaSharp.Tests.Weights;

namespace JepaSharp.Tests.Situations;

/// <summary>
/// What was meant is what is used: the weights, the images, the order and the schedule that a user thinks of, or a sentence that says otherwise.
/// </summary>
[Collection(Lanes.Intents)]
public sealed class IntentSituations : SituationTests
{
    private const string Small = "--set meta.model_name=vit_tiny --set meta.embed_dim=24 --set meta.depth=1 --set meta.num_heads=2 "
        + "--set meta.pred_depth=1 --set meta.pred_emb_dim=12 --set mask.patch_size=8 --set mask.min_keep=1 --set data.crop_size=32 "
        + "--set data.batch_size=4 --set data.num_workers=1 --precision fp32 --set optimization.warmup=1 --set optimization.epochs=4 "
        + "--set optimization.lr=0.001 --set optimization.start_lr=0.0002 --set optimization.final_lr=0.0001 --set logging.evaluate_every=1000";

    /// <summary>A run of eight images and eight steps.</summary>
    private const string Whole = $"jepa pretrain --data imgs --out run {Small} >log 2>&1 || cat log\n";

    /// <summary>The same, stopped after three steps.</summary>
    private const string Begun = $"jepa pretrain --data imgs --out run {Small} --max-steps 3 >log 2>&1 || cat log\n";

    private const string Resume = "jepa pretrain --resume --out run";

    /// <summary>Runs the command and says its exit code.</summary>
    private const string Try = "try() { jepa \"$@\"; echo \"rc $?\"; }\n";

    private static readonly Situation[] Table =
    [
        new("a run resumed from another folder, which has images of the same name",
            $"""
            cd one && jepa pretrain --data imgs --out ../run {Small} --max-steps 3
            cd ../two && jepa pretrain --resume --out ../run
            """, 0, "training on DIR/one/imgs")
        {
            Build = folder =>
            {
                Images(folder, "one/imgs");
                Images(folder, "two/imgs", kind: 9);
            },
            Never = ["training on DIR/two"],
        },
        new("a study with its configuration and images beside it, gone on with from another folder",
            """
            mkdir away; cd away; jepa compare ../studies/s.yaml --out ../result --only plain/0 >log 2>&1 || cat log
            cd ..; jepa compare studies/s.yaml --out result
            """, 0, "1 of 2 runs are done", "plain         1", "untrained     1")
        {
            Build = folder =>
            {
                Images(folder, "studies/imgs");
                File.WriteAllText(
                    Path.Combine(folder, "studies/base.yaml"),
                    """
                    data: {crop_size: 32, batch_size: 4, num_workers: 1}
                    mask: {patch_size: 8, min_keep: 1}
                    meta: {model_name: vit_tiny, embed_dim: 24, depth: 1, num_heads: 2, pred_depth: 1, pred_emb_dim: 12, precision: fp32}
                    optimization: {epochs: 4, warmup: 1}
                    """);
                File.WriteAllText(
                    Path.Combine(folder, "studies/s.yaml"),
                    """
                    base: base.yaml
                    data: imgs
                    seeds: [0]
                    budget: {images: 12}
                    variants: {plain: {}}
                    evaluate: [{task: count, data: "scenes:20#size=32", test: "scenes:20#size=32&first=20"}]
                    """);
            },
            Check = (folder, _) => Assert.Equal(4, File.ReadAllLines(Path.Combine(folder, "result/runs/plain/seed-0/metrics.csv")).Length),
        },
        new("a run of a list with relative folders behind the hash, resumed from another folder",
            $"""
            jepa pretrain --data 'lists/l.csv#images=imgs&only=lists/some.txt' --out run {Small} --max-steps 1
            mkdir away && cd away && jepa pretrain --resume --out ../run
            """, 0, "epoch 4/4")
        {
            Build = folder =>
            {
                Images(folder, "imgs", count: 9);
                Directory.CreateDirectory(Path.Combine(folder, "lists"));
                File.WriteAllText(Path.Combine(folder, "lists/l.csv"), "path\n" + Lines(9));
                File.WriteAllText(Path.Combine(folder, "lists/some.txt"), Lines(8));
            },
        },
        new("a run whose images are gone, then found elsewhere and touched",
            $"""
            {Begun}mv imgs moved; touch moved/*
            {Resume}; echo "rc $?"
            {Resume} --data moved; echo "rc $?"
            grep ' path:' run/config.yaml
            """, 0, "DIR/imgs does not exist",
            "The path comes from DIR/run/config.yaml", "rc 2", "training on DIR/moved", "rc 0", "  path: DIR/moved")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("a run whose images were replaced by others", $"{Begun}rm imgs/*; cp others/* imgs; {Resume}", 2,
            "does not hold the images that the run was trained on: they have other names, and 8 of 8")
        {
            Build = folder =>
            {
                Images(folder, "imgs");
                Images(folder, "others", kind: 9, prefix: "new-");
            },
        },
        new("a run of which one image was replaced under its name", $"{Begun}cp others/3.png imgs; {Resume}", 2,
            "1 of 8 looked into hold something else, the first 3.png") { Build = ImagesAndOthers },
        new("a run resumed with another batch, accumulation and seed, on the command line and in its configuration",
            $"""
            {Begun}for s in data.batch_size=2 optimization.accumulate=2 meta.seed=7; do {Resume} --set $s; echo "rc $?"; done
            sed -i 's/^  batch_size: 4$/  batch_size: 2/' run/config.yaml; {Resume}
            """, 2, "data.batch_size was 4 and is 2, after 3 steps", "optimization.accumulate was 1 and is 2, after 3 steps",
            "meta.seed was 0 and is 7, after 3 steps", "rc 2")
        {
            Build = folder => Images(folder, "imgs"),
            Never = ["rc 0"],
        },
        new("a finished run made longer in its configuration",
            $"{Whole}sed -i 's/^  epochs: 4$/  epochs: 6/' run/config.yaml; {Resume}; cat run/warnings.txt", 0,
            "note: optimization.epochs was 4 and is 6: the schedules are stretched from 8 to 12 steps; the learning rate was 0.0001 at step 8 and is",
            "step 8: optimization.epochs was 4 and is 6", "epoch 6/6") { Build = folder => Images(folder, "imgs") },
        new("a run made longer on the command line, resumed again and looked at",
            $"""
            {Begun}{Resume} --set optimization.epochs=6 --max-steps 5 2>one
            {Resume} 2>two
            grep -c stretched one two; grep ' epochs:' run/config.yaml; grep -h 'learning rate was' one
            """, 0, "one:1", "two:0", "  epochs: 6", "the learning rate was 0.0009") { Build = folder => Images(folder, "imgs") },
        new("a run that predicts pixels, gone on with, looked at and begun from",
            $"""
            jepa pretrain --data imgs --out run {Small} --set ijepa.target=pixels --max-steps 3
            {Resume}; jepa inspect run; grep -o 'which pixels are in each patch' run/report.html
            {Resume} --set ijepa.target=representations; echo "rc $?"
            jepa pretrain --data imgs --init run --out other --set data.batch_size=4 --max-steps 1 2>log; echo "rc $?"
            grep found log; grep ' target:' other/config.yaml
            jepa export --weights run --to huggingface --out hf && ls hf
            """, 0, "; predicted are pixels, normalised in each patch", "epoch 4/4", "predicts the 192 pixel values of a patch",
            "which pixels are in each patch", "ijepa.target was pixels and is representations", "rc 2", "predictor: found", "  target: pixels",
            "rc 0", "model.safetensors")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("a run whose targets are masked at the input",
            $"jepa pretrain --data imgs --out run {Small} --set ijepa.mask_target=input && jepa inspect run", 0,
            "; the target encoder sees one target alone", "predictor")
        {
            Build = folder => Images(folder, "imgs"), Never = ["pixel values"],
        },
        new("a run of rasterized masks, resumed and looked at",
            $"jepa pretrain --data imgs --out run {Small} --set mask.strategy=rasterized --max-steps 3 && {Resume} && jepa evaluate checkpoints run",
            0, "asked: each context 0.25 of 4x4 patches (4); 3 targets of 0.25, together 0.75", "Keep ")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("a run that says how much of an image it shows",
            $"jepa pretrain --data imgs --out run {Small} --set mask.images_per_length=8 && grep -c 'patches in the context' run/report.html", 0,
            "asked: each context 0.", " of 4x4 patches (", "; 4 targets of 0.")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("a run as long as it is asked to be", "jepa pretrain --data imgs --out run --minutes 0.05 2>log; echo \"rc $?\"; cat log", 0, "rc 0",
            "images/s were measured", "passes over the images, about", "normalised by the images' own mean", "objective mae", "encoder and decoder")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("minutes and passes at once", "jepa pretrain --data imgs --out run --minutes 5 --set optimization.epochs=3", 2,
            "optimization.epochs says how many: give one of them.")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("minutes for the built-in scenes", "jepa pretrain --out run --minutes 5", 2, "the run on the built-in scenes has its own"),
        new("a run of groups that its batches do not fill", $"jepa pretrain --data imgs --out run {Small} --set mask.images_per_length=6", 2,
            "mask.images_per_length: found 6; expected a multiple of data.batch_size (4), such as 4 or 8")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("a run resumed with other masks, crops and precision",
            $"{Begun}{Resume} --set mask.num_pred_masks=2 --set 'data.crop_scale=[0.6, 1.0]' --precision bf16", 0,
            "note: changed after step 3: data.crop_scale was [0.5, 1.0] and is [0.6, 1.0]; mask.num_pred_masks was 4 and is 2",
            "the run computed in fp32 on ", " up to step 3 and goes on in bf16 on ") { Build = folder => Images(folder, "imgs") },
        new("a run resumed with other heads, whose weights have the same shapes",
            $"{Begun}sed -i 's/^  num_heads: 2$/  num_heads: 3/' run/config.yaml; {Resume}", 2,
            "another architecture: meta.num_heads was 2 and is 3") { Build = folder => Images(folder, "imgs") },
        new("a report of a run whose images were replaced", $"{Whole}cp others/3.png imgs; jepa report run; jepa evaluate checkpoints run", 0,
            "note: DIR/imgs does not hold the images that the run was trained on (1 of 8 looked into hold something else, the first 3.png)")
        {
            Build = ImagesAndOthers,
        },
        new("a tilde where the shell leaves it",
            $"""
            export HOME=$PWD/home
            {Try}try inspect '~/photos'; try inspect list.csv --all; try masks c.yaml --out=~/m.png; try masks --set data.path=~/photos --out n.png
            try scenes --out=~/s --count 1 --size 16
            ls home
            jepa masks --out=~nobody-here/x.png; ls
            """, 0, "8 images", "rc 0", "m.png", "another user's home")
        {
            Build = folder =>
            {
                Images(folder, "home/photos");
                File.WriteAllText(Path.Combine(folder, "list.csv"), "path\n~/photos/1.png\n");
                File.WriteAllText(
                    Path.Combine(folder, "c.yaml"), "data: { path: ~/photos, crop_size: 32 }\nmask: { patch_size: 8, min_keep: 1 }\n");
            },
            Never = ["rc 1", "rc 2", "no longer there"],
            Check = (folder, _) => Assert.False(Directory.Exists(Path.Combine(folder, "~"))),
        },
        new("a run that is handed over as ONNX and looked at in a browser",
            $"""
            {Begun}jepa export --weights run --to onnx --out run.onnx; echo "rc $?"
            jepa watch . --port 0 --no-pictures >watched & watch=$!
            i=0; until grep -q http watched || [ $i = 600 ]; do sleep 0.1; i=$((i + 1)); done
            export PORT=$(grep -o '127.0.0.1:[0-9]*' watched | cut -d: -f2)
            jepa watch run --port $PORT; echo "rc $?"
            bash -c 'exec 3<>/dev/tcp/127.0.0.1/$PORT; printf "GET /run?name=run HTTP/1.1\r\nHost: 127.0.0.1:$PORT\r\n\r\n" >&3; cat <&3' >page
            grep -o -m 1 '200 OK' page; grep -o -m 1 'The run, step by step' page; grep -c '<svg' page
            kill -TERM $watch; wait $watch; echo "rc $?"; cat watched; ls
            """, 0, "pixels [batch, 3, ", "rc 0", "another program listens there", "rc 2", "200 OK", "The run, step by step", "rc 143",
            "1 run in ", "run.onnx")
        {
            Build = folder => Images(folder, "imgs"),
        },
        new("weights of a run that a disk changed",
            $"""
            {Begun}jepa export --weights run --to safetensors --out exported.safetensors
            cp run/checkpoints/latest/weights.safetensors copy.safetensors
            for f in run/checkpoints/latest/weights.safetensors copy.safetensors exported.safetensors
            do printf '\177' | dd of=$f bs=1 seek=$(($(wc -c <$f) - 5)) conv=notrunc 2>/dev/null; done
            {Try}try embed --weights run --data imgs --out e.npy
            try embed --weights exported.safetensors --data imgs --out e.npy
            try evaluate knn --weights copy.safetensors --data imgs --no-cache
            try export --weights copy.safetensors --to huggingface --out h
            try inspect copy.safetensors
            try pretrain --init copy.safetensors --data imgs --out again {Small}
            ls
            """, 0, "state.json beside it", "that is not what was written (its checksum differs)", "rc 2")
        {
            Build = folder =>
            {
                Images(folder, "imgs/a");
                Images(folder, "imgs/b", kind: 3);
            },
            Never = ["rc 0", "rc 1", "e.npy", "again"],
        },
        new("a run whose best and latest checkpoints are damaged and whose epoch's is whole",
            $"{Whole}for c in best latest; do printf x >>run/checkpoints/$c/weights.safetensors; done; "
                + "jepa embed --weights run --data imgs --out e.npy", 2,
            "Another checkpoint of the run is whole: DIR/run/checkpoints/epoch-0004") { Build = folder => Images(folder, "imgs") },
        new("a head whose encoder was trained on since",
            $"""
            {Whole}
            jepa fit --weights run --data labelled --head knn --no-cache --out h >log 2>&1 || cat log
            jepa fit --weights run --data labelled --head knn --no-cache --embed-weights --out kept >log 2>&1 || cat log
            rm -r run; jepa predict --head h --data imgs --out l.csv; echo "rc $?"
            jepa pretrain --data imgs --out run {Small} --max-steps 2 >log 2>&1 || cat log
            jepa predict --head h --data imgs --out l.csv; echo "rc $?"; jepa predict --head kept --data imgs --out l.csv
            """, 0, "rc 2\nrc 2", "has gone from there. Give it with --weights PATH.", "is another than h was fitted on: its weights have changed since",
            "l.csv: 8 images")
        {
            Build = folder =>
            {
                Images(folder, "imgs");
                Images(folder, "labelled/a");
                Images(folder, "labelled/b", kind: 30);
            },
        },
        new("heads that are not those of the weights", "jepa embed --weights whole --heads 6 --data imgs --out e.csv", 2,
            "found 3 attention heads in what the file says; expected the 6 that were asked for") { Build = ImagesAndModel },
        new("a run that begins with weights of another normalisation",
            "jepa pretrain c.yaml --init whole --data imgs --out run --max-steps 1", 0,
            "normalisation: the weights were trained with mean 0.5 0.5 0.5 and deviation 0.5 0.5 0.5, the run has 0.485 0.456 0.406")
        {
            Build = folder =>
            {
                ImagesAndModel(folder);
                File.WriteAllText(
                    Path.Combine(folder, "c.yaml"),
                    """
                    data: { crop_size: 64, batch_size: 4 }
                    mask: { patch_size: 8, min_keep: 1 }
                    meta: { model_name: vit_tiny, embed_dim: 48, depth: 2, num_heads: 3, pred_depth: 1, pred_emb_dim: 12, precision: fp32 }
                    optimization: { epochs: 1, warmup: 0 }
                    """);
            },
        },
        new("a Hugging Face folder with pytorch_model.bin, whole and in three files",
            """
            for w in whole parts; do jepa embed --weights $w --data imgs --out $w.csv; done
            cmp whole.csv parts.csv && jepa inspect whole && jepa inspect parts
            """, 0, "3 heads", "mean 0.5 0.5 0.5")
        {
            Build = folder =>
            {
                ImagesAndModel(folder);
                HuggingFaceBinTests.MakeBin(Path.Combine(folder, "parts"), 3);
            },
            Never = ["ImageNet"],
        },
        new("weights that do not say how pixels were normalised",
            "rm whole/preprocessor_config.json; jepa embed --weights whole --data imgs --out e.csv", 0,
            "note: the weights do not say how pixels were normalised: ImageNet's") { Build = ImagesAndModel },
        new("outputs that another process is writing",
            $"""
            command -v flock >/dev/null || exec echo 'at this moment there is no flock here: rc 1'
            for o in e.npy p.jepapack h s; do flock $o.lock sleep 20 >/dev/null 2>&1 & done; sleep 0.5
            {Try}try embed --weights whole --data imgs --out e.npy; try pack --data imgs --out p.jepapack
            try export --weights whole --to huggingface --out h; try scenes --out s --count 1 --size 16
            kill $(jobs -p); ls
            """, 0, "at this moment", "rc 1")
        {
            Build = ImagesAndModel,
            Never = ["rc 0", "e.npy.partial", "unfinished"],
        },
        new("a pack that is there already", "jepa pack --data imgs --out p.jepapack && cp p.jepapack was && jepa pack --data imgs --out p.jepapack; "
            + "echo \"rc $?\"; cmp p.jepapack was", 0, "8 images as pixels", "p.jepapack exists and is not overwritten.", "rc 2")
        {
            Build = ImagesAndModel,
        },
        new("locks that a crash left",
            """
            touch e.npy.lock p.jepapack.lock
            jepa embed --weights whole --data imgs --out e.npy && jepa pack --data imgs --out p.jepapack && ls
            """, 0, "e.npy", "8 images as pixels")
        {
            Build = ImagesAndModel,
            Check = (folder, _) => Assert.Empty(Directory.GetFiles(folder, "*.lock")),
        },
        new("more neighbours than images", "jepa evaluate knn --weights whole --data imgs --test more --k 500 --no-cache --baselines off", 0,
            "note: 500 neighbours were asked for, and there are only 16 images to fit on: all of them vote")
        {
            Build = folder =>
            {
                foreach (var (set, kind) in new[] { ("imgs", 0), ("more", 20) })
                {
                    Images(folder, set + "/a", kind: kind);
                    Images(folder, set + "/b", kind: kind + 10);
                }

                HuggingFaceBinTests.MakeBin(Path.Combine(folder, "whole"), 1);
            },
            Never = ["500 nearest", "200 nearest", "100 nearest"],
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void Intent_Command_DoesWhatIsMeant(string name) => Run(Table.Single(s => s.Name == name));

    private static void Images(string folder, string name, int kind = 0, int count = 8, string prefix = "")
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(path, $"{prefix}{i}.png"), EncodedImages.Png(EncodedImages.Picture(36, 36, kind + i)));
    }

    private static void ImagesAndOthers(string folder)
    {
        Images(folder, "imgs");
        Images(folder, "others", kind: 9);
    }

    private static void ImagesAndModel(string folder)
    {
        Images(folder, "imgs");
        HuggingFaceBinTests.MakeBin(Path.Combine(folder, "whole"), 1);
    }

    private static string Lines(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $"{i}.png\n"));
}
