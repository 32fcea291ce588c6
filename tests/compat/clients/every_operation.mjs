// Every operation of Customer.io's Node SDK whose route the sandbox has works; the rest answer 501, and are
// listed: `node every_operation.mjs HTTP_URL`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const sdk = require('customerio-node');

const url = process.argv[2];
const track = new sdk.TrackClient('sandbox-site', 'sandbox-track-key', { url: `${url}/api/v1` });
const app = new sdk.APIClient('sandbox-app-key', { url: `${url}/v1` });

const now = Math.floor(Date.now() / 1000);
const window = { version: 2, start: now - 86400 * 7, end: now, res: 'days' };
const identifiers = { id: 'every' };
const somebody = { and: [{ segment: { id: 1 } }] };
const letter = { name: 'Every', type: 'email', subject: 's', body: 'b', recipients: { and: [{ or: [{ segment: { id: 1 } }] }] } };
const made = {}; // what operations made, for those after them

// The operations with what they are called with, in an order that works; made of what came before.
const CALLS = [
  [track, 'identify', 'every', { email: 'every@example.com' }],
  [track, 'track', 'every', { name: 'purchase', data: { amount: 1 } }],
  [track, 'trackAnonymous', 'anon', { name: 'looked', data: {} }],
  [track, 'trackPageView', 'every', '/pricing'],
  [track, 'addDevice', 'every', 'token-1', 'ios', { last_used: now }],
  [track, 'batch', [{ type: 'person', action: 'event', identifiers, name: 'seen' }]],
  [track, 'entity', { type: 'person', action: 'identify', identifiers, attributes: { plan: 'pro' } }],
  [track, 'entity', { type: 'object', action: 'identify', identifiers: { object_type_id: '1', object_id: 'every' } }],
  [track, 'identify', 'other', {}],
  [track, 'mergeCustomers', 'id', 'every', 'id', 'other'],
  [track, 'getAccountRegion'],
  [app, 'createCustomersExport', somebody, (told) => (made.export = told.export.id)],
  [app, 'listSegments'],
  [app, 'createSegment', { name: 'Every', description: '' }, (told) => (made.segment = told.segment.id)],
  [track, 'addCustomersToSegment', () => made.segment, ['every']],
  [track, 'removeCustomersFromSegment', () => made.segment, ['every']],
  [app, 'getSegment', () => made.segment],
  [app, 'getSegmentCustomerCount', () => made.segment],
  [app, 'getSegmentMembership', () => made.segment],
  [app, 'getSegmentUsedBy', () => made.segment],
  [app, 'deleteSegment', () => made.segment],
  [app, 'sendEmail', new sdk.SendEmailRequest({ to: 'every@example.com', transactional_message_id: '1', identifiers }), (told) => (made.delivery = told.delivery_id)],
  [app, 'sendPush', new sdk.SendPushRequest({ transactional_message_id: '3', identifiers })],
  [app, 'sendSMS', new sdk.SendSMSRequest({ to: '+15551234567', transactional_message_id: '4', identifiers })],
  [app, 'sendInApp', new sdk.SendInAppRequest({ transactional_message_id: '5', identifiers })],
  [app, 'sendWhatsApp', new sdk.SendWhatsAppRequest({ to: '+15551234567', transactional_message_id: '7', identifiers })],
  [app, 'sendInboxMessage', new sdk.SendInboxMessageRequest({ transactional_message_id: '6', identifiers })],
  [app, 'getCustomersByEmail', 'every@example.com'],
  [app, 'triggerBroadcast', 10, {}, { emails: ['every@example.com'] }],
  [app, 'getAttributes', 'every'],
  [app, 'getCustomerActivities', 'every'],
  [app, 'getCustomerMessages', 'every'],
  [app, 'getCustomerRelationships', 'every'],
  [app, 'getCustomerSegments', 'every'],
  [app, 'getCustomerSubscriptionPreferences', 'every'],
  [app, 'searchCustomers', somebody],
  [app, 'getCustomersAttributes', ['every']],
  [app, 'getObjectAttributes', '1', 'every'],
  [app, 'getObjectRelationships', '1', 'every'],
  [app, 'findObjects', '1', { object_attribute: { field: 'name', operator: 'exists', type_id: '1' } }],
  [app, 'listObjectTypes'],
  [app, 'listActivities'],
  [app, 'listSubscriptionTopics'],
  [app, 'getSubscriptionCenterToken', 'every'],
  [app, 'listTransactionalMessages'],
  [app, 'getTransactionalMessage', 1],
  [app, 'getTransactionalMessageContents', 1, (told) => (made.content = told.contents[0].id)],
  [app, 'updateTransactionalMessageContent', 1, () => made.content, { subject: 'Every' }],
  [app, 'getTransactionalMessageLanguage', 1, 'fr'],
  [app, 'updateTransactionalMessageLanguage', 1, 'fr', { subject: 'Tous' }],
  [app, 'getTransactionalMessageDeliveries', 1],
  [app, 'getTransactionalMessageMetrics', 1],
  [app, 'getTransactionalMessageLinkMetrics', 1],
  [app, 'listCampaigns'],
  [app, 'getCampaign', 1],
  [app, 'getCampaignActions', 1, (told) => (made.action = told.actions.find((one) => one.type === 'email').id)],
  [app, 'getCampaignAction', 1, () => made.action],
  [app, 'updateCampaignAction', 1, () => made.action, { subject: 'Every' }],
  [app, 'getCampaignActionLanguage', 1, 101, 'fr'],
  [app, 'updateCampaignActionLanguage', 1, 101, 'fr', { subject: 'Tous' }],
  [app, 'getCampaignActionMetrics', 1, () => made.action, window],
  [app, 'getCampaignActionMetricsLinks', 1, () => made.action],
  [app, 'getCampaignMetrics', 1, window],
  [app, 'getCampaignMetricsLinks', 1],
  [app, 'getCampaignJourneyMetrics', 1, { start: window.start, end: window.end, res: 'days' }],
  [app, 'listBroadcasts'],
  [app, 'getBroadcast', 10],
  [app, 'getBroadcastActions', 10, (told) => (made.broadcastAction = told.actions[0].id)],
  [app, 'getBroadcastAction', 10, () => made.broadcastAction],
  [app, 'updateBroadcastAction', 10, () => made.broadcastAction, { subject: 'Every' }],
  [app, 'getBroadcastActionLanguage', 11, 1101, 'fr'],
  [app, 'updateBroadcastActionLanguage', 11, 1101, 'fr', { subject: 'Tous' }],
  [app, 'getBroadcastActionMetrics', 10, () => made.broadcastAction],
  [app, 'getBroadcastMetrics', 10],
  [app, 'getBroadcastMetricsLinks', 10],
  [app, 'getBroadcastMessages', 10],
  [app, 'getBroadcastTriggers', 10, (told) => (made.trigger = told.triggers.at(-1).id)],
  [app, 'getBroadcastTriggerStatus', 10, () => made.trigger],
  [app, 'getBroadcastTriggerErrors', 10, () => made.trigger],
  [app, 'listNewsletters'],
  [app, 'createNewsletter', letter, (told) => (made.newsletter = told.newsletter.id)],
  [app, 'createNewsletter', { ...letter, name: 'Now' }, (told) => (made.draft = told.newsletter.id)],
  [app, 'getNewsletter', () => made.newsletter],
  [app, 'getNewsletterContents', () => made.newsletter, (told) => (made.variant = told.contents[0].id)],
  [app, 'getNewsletterContent', () => made.newsletter, () => made.variant],
  [app, 'updateNewsletterContent', () => made.newsletter, () => made.variant, { subject: 'Every' }],
  [app, 'getNewsletterContentMetrics', () => made.newsletter, () => made.variant],
  [app, 'createNewsletterLanguage', () => made.newsletter, { language: 'de', subject: 'Alle', body: 'b' }],
  [app, 'getNewsletterLanguage', () => made.newsletter, 'de'],
  [app, 'updateNewsletterLanguage', () => made.newsletter, 'de', { subject: 'Alle' }],
  [app, 'createNewsletterTestGroup', () => made.newsletter],
  [app, 'getNewsletterTestGroups', () => made.newsletter, (told) => (made.group = told.test_groups.at(-1).id)],
  [app, 'createNewsletterTestGroupLanguage', () => made.newsletter, () => made.group, { language: 'fr', subject: 'Tous', body: 'b' }],
  [app, 'getNewsletterMetrics', 20],
  [app, 'getNewsletterMetricsLinks', 20],
  [app, 'scheduleNewsletter', () => made.newsletter, { scheduled_at: now + 86400, timezone: 'UTC' }],
  [app, 'sendNewsletter', () => made.draft],
  [app, 'listDesignStudioEmails'],
  [app, 'createDesignStudioEmail', { name: 'Every' }, (told) => (made.email = (told.email ?? told.data ?? told).id)],
  [app, 'getDesignStudioEmail', () => made.email],
  [app, 'updateDesignStudioEmail', () => made.email, { name: 'Each' }],
  [app, 'createDesignStudioEmailLanguage', () => made.email, { language: 'de' }],
  [app, 'listDesignStudioEmailLanguages', () => made.email],
  [app, 'getDesignStudioEmailLanguage', () => made.email, 'de'],
  [app, 'updateDesignStudioEmailLanguage', () => made.email, 'de', { content: { subject: 'Alle' } }],
  [app, 'listDesignStudioComponents'],
  [app, 'listExports'],
  [app, 'createDeliveriesExport', 20],
  [app, 'getExport', () => made.export],
  [app, 'listCollections'],
  [app, 'createCollection', { name: 'every', data: [{ a: 1 }] }, (told) => (made.collection = told.collection.id)],
  [app, 'updateCollection', () => made.collection, { name: 'every', data: [{ a: 2 }] }],
  [app, 'getCollectionContent', () => made.collection],
  [app, 'deleteCollection', () => made.collection],
  [app, 'createSuppression', 'bounces', 'gone@example.com'],
  [app, 'searchSuppression', 'gone@example.com'],
  [app, 'getSuppressions', 'bounces'],
  [app, 'deleteSuppression', 'bounces', 'gone@example.com'],
  [app, 'listReportingWebhooks'],
  [app, 'createReportingWebhook', { name: 'every', endpoint: 'https://example.com/x', events: ['email_sent'] }, (told) => (made.webhook = told.id)],
  [app, 'getReportingWebhook', () => made.webhook],
  [app, 'updateReportingWebhook', () => made.webhook, { name: 'each', endpoint: 'https://example.com/x', events: ['email_sent'] }],
  [app, 'deleteReportingWebhook', () => made.webhook],
  [app, 'getSnippets'],
  [app, 'updateSnippet', { name: 'every', value: 'x' }],
  [app, 'deleteSnippet', 'every'],
  [app, 'getSenderIdentities', (told) => (made.sender = told.sender_identities[0].id)],
  [app, 'getSenderIdentity', () => made.sender],
  [app, 'getSenderIdentityUsedBy', () => made.sender],
  [app, 'getMessages'],
  [app, 'getMessage', () => made.delivery],
  [app, 'getArchivedMessage', () => made.delivery],
  [app, 'listWorkspaces'],
  [app, 'downloadExport', () => made.export],
  [track, 'deleteDevice', 'every', 'token-1'],
  [track, 'suppress', 'every'],
  [track, 'unsuppress', 'every'],
  [track, 'destroy', 'every'],
];

// What operations of which the sandbox has no route are called with, where `1` will not do for all of it.
const thing = { name: 'a', language: 'de', filename: 'a.png', data: 'x' };
const ELSEWHERE = {
  submitForm: ['1', { a: 1 }],
  reportMetric: [{ delivery_id: 'd', metric: 'delivered', timestamp: now }],
  createDesignStudioFolder: [thing],
  createDesignStudioComponent: [{ ...thing, tag: 'x-a', html: '<p></p>' }],
  updateDesignStudioFolder: ['1', thing],
  updateDesignStudioComponent: ['1', thing],
  updateAsset: ['1', thing],
  updateAssetFolder: ['1', thing],
  createAsset: [{ data: Buffer.from('x'), filename: 'a.png' }],
  createAssetFolder: [thing],
  createSnippet: [{ name: 'a', value: 'b' }],
  createImport: [{ data_file_url: 'https://example.com/a.csv', type: 'people', name: 'a', identifier: 'id' }],
  updateCollectionContent: ['1', [{ a: 1 }]],
  batchUpdateAttributes: [[{ name: 'a', description: 'b' }]],
  batchUpdateEvents: [[{ name: 'a', description: 'b' }]],
};

// What asks for nothing of the API.
const OURS = new Set(['constructor', 'resourceBase']);

let problems = 0;
function tell(problem) {
  problems += 1;
  console.error(`WRONG ${problem}`);
}

async function statusOf(client, name, given) {
  await new Promise((done) => setTimeout(done, client === app ? 120 : 0)); // ten a second
  try {
    return [200, await client[name](...given)];
  } catch (error) {
    return [error.statusCode ?? error.response?.statusCode ?? 0, error];
  }
}

const called = new Set();
for (const [client, name, ...given] of CALLS) {
  called.add(`${client.constructor.name}.${name}`);
  const takes = given.at(-1) instanceof Function && given.at(-1).length === 1 ? given.pop() : () => {};
  const [status, told] = await statusOf(client, name, given.map((one) => (one instanceof Function ? one() : one)));
  if (status !== 200) tell(`${name}: ${status} ${JSON.stringify(told.body ?? told.response?.body ?? told.message)}`);
  else takes(told);
}

const missing = [];
for (const client of [track, app])
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(client)))
    if (!OURS.has(name) && !called.has(`${client.constructor.name}.${name}`)) {
      const [status, told] = await statusOf(client, name, ELSEWHERE[name] ?? ['1', '1', '1', '1']);
      if (status === 501) missing.push(name);
      else tell(`${name} is not among the calls, and answers ${status}: ${told.message}`);
    }

const { version } = JSON.parse(readFileSync('node_modules/customerio-node/package.json'));
console.log(`ok customerio-node ${version}: ${called.size} operations; the sandbox answers 501 to ${missing.length}: ${missing.join(', ')}`);
process.exit(problems ? 1 : 0);
