// The network's own servers, from @atproto/dev-env in the folder where this is started: directory, data server (PDS), app view, moderation service
// (Ozone) and one that makes feeds. Arguments: the address of an empty PostgreSQL database. Writes where everything is as one line of JSON; then,
// for each line of JSON it is told, does that and writes a line. Ends when nobody can tell it anything any more.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const installed = createRequire(`${process.cwd()}/`).resolve("@atproto/dev-env");
const { TestNetwork } = await import(pathToFileURL(installed));

// dev-env wants to be told of a Redis, which nothing in it asks.
process.env.REDIS_HOST = "none";
const network = await TestNetwork.create({ dbPostgresUrl: process.argv[2], dbPostgresSchema: "network" });
const view = network.bsky.db.db;
// What a busy machine may take to carry what was written to the app view.
const LONGEST_MS = 200_000;

// A feed shows what the members of the list of the same owner and key wrote. Like many, it does not notice what was deleted since.
const noticed = new Map();
const newestFirst = (one, other) => (one.place < other.place ? 1 : -1);

async function notice() {
  const posts = await view.selectFrom("post").innerJoin("list_item", "list_item.subjectDid", "post.creator")
    .select(["post.uri", "post.sortAt", "list_item.listUri"]).execute();
  for (const { uri, sortAt, listUri } of posts) noticed.set(`${listUri} ${uri}`, { uri, listUri, place: `${sortAt} ${uri}` });
}

async function skeleton({ params }) {
  const list = params.feed.replace("app.bsky.feed.generator", "app.bsky.graph.list");
  const below = [...noticed.values()].filter((post) => post.listUri === list && (!params.cursor || post.place < params.cursor));
  const page = below.sort(newestFirst).slice(0, params.limit);
  return { encoding: "application/json", body: { feed: page.map(({ uri }) => ({ post: uri })), cursor: page.at(-1)?.place } };
}

// What the moderation service labelled, as the app view takes it in. The part of the network that does this is not published.
async function carryLabels() {
  const { data } = await network.ozone.getAgent().com.atproto.label.queryLabels({ uriPatterns: ["*"], limit: 250 });
  for (const { src, uri, cid = "", val, neg = false, cts } of data.labels) {
    await view.insertInto("label").values({ src, uri, cid, val, neg, cts })
      .onConflict((label) => label.columns(["src", "uri", "cid", "val"]).doUpdateSet({ neg, cts })).execute();
  }
}

const told = {
  // Until everything written so far is in the app view.
  settle: async () => {
    await network.processAll(LONGEST_MS);
    await carryLabels();
    await notice();
  },
  // Make an account a moderator.
  appoint: (did) => network.ozone.addModeratorDid(did),
};

const feeds = await network.createFeedGen(new Proxy({}, { get: () => skeleton }));
const here = ({ port }) => `127.0.0.1:${port}`;
const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

write({ pds: here(network.pds), view: here(network.bsky), feeds: feeds.did, moderation: network.ozone.ctx.cfg.service.did });
for await (const line of createInterface({ input: process.stdin })) {
  const [what, about] = JSON.parse(line);
  await told[what](about);
  write("done");
}
process.exit();
