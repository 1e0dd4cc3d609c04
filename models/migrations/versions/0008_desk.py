"""desk"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('username', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('display_name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('password_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('setup_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('setup_until', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('locked_until', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('visit_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('last_visit_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('created_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("username <> '' AND created_by <> ''", name=op.f('ck_account_people_named')),
    sa.CheckConstraint('(setup_hash IS NULL) = (setup_until IS NULL)', name=op.f('ck_account_setup_ends')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_account'))
    )
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.create_index('uq_account_username', ['username'], unique=True)

    op.create_table('contact',
    sa.Column('contact_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('community_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('route', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('checklist', sa.JSON(), nullable=False),
    sa.Column('draft', sa.Text(), nullable=False),
    sa.Column('returned_because', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('submitted_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('submitted_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('signed_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('signed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('sent_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('sent_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('sent_link', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('changed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint("made_by <> ''", name=op.f('ck_contact_people_named')),
    sa.CheckConstraint('(sent_at IS NULL) = (sent_by IS NULL)', name=op.f('ck_contact_sent_when_and_by_whom')),
    sa.CheckConstraint('(signed_at IS NULL) = (signed_by IS NULL)', name=op.f('ck_contact_signed_when_and_by_whom')),
    sa.CheckConstraint('(submitted_at IS NULL) = (submitted_by IS NULL)', name=op.f('ck_contact_submitted_when_and_by_whom')),
    sa.CheckConstraint('sent_at IS NULL OR signed_at IS NOT NULL', name=op.f('ck_contact_sent_after_sign_off')),
    sa.CheckConstraint('signed_by IS NULL OR signed_by <> submitted_by', name=op.f('ck_contact_signed_by_a_second_person')),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_contact'))
    )
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.create_index('ix_contact_council_status', ['council', 'status'], unique=False)
        batch_op.create_index('ix_contact_lead_id', ['lead_id'], unique=False)

    op.create_table('contact_hold',
    sa.Column('hold_id', sa.Integer(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('until', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('placed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('placed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lifted_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("placed_by <> ''", name=op.f('ck_contact_hold_people_named')),
    sa.CheckConstraint('(lifted_at IS NULL) = (lifted_by IS NULL)', name=op.f('ck_contact_hold_lifted_when_and_by_whom')),
    sa.PrimaryKeyConstraint('hold_id', name=op.f('pk_contact_hold'))
    )
    with op.batch_alter_table('contact_hold', schema=None) as batch_op:
        batch_op.create_index('ix_contact_hold_subject', ['subject'], unique=False)

    op.create_table('lead_decision',
    sa.Column('decision_id', sa.Integer(), nullable=False),
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('action', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('assignee', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('score', sa.Float(), nullable=True),
    sa.Column('parts', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('decided_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('undone_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('undone_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("decided_by <> ''", name=op.f('ck_lead_decision_people_named')),
    sa.CheckConstraint('(undone_at IS NULL) = (undone_by IS NULL)', name=op.f('ck_lead_decision_undone_when_and_by_whom')),
    sa.PrimaryKeyConstraint('decision_id', name=op.f('pk_lead_decision'))
    )
    with op.batch_alter_table('lead_decision', schema=None) as batch_op:
        batch_op.create_index('ix_lead_decision_lead_id', ['lead_id'], unique=False)

    op.create_table('lead_community',
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('community_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('lead_id', 'community_id', name=op.f('pk_lead_community'))
    )
    with op.batch_alter_table('lead_community', schema=None) as batch_op:
        batch_op.create_index('ix_lead_community_community_id', ['community_id'], unique=False)

    op.create_table('lead_state',
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('assignee', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('not_before', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("(status = 'not_now') = (not_before IS NOT NULL)", name=op.f('ck_lead_state_not_now_until')),
    sa.CheckConstraint("changed_by <> ''", name=op.f('ck_lead_state_people_named')),
    sa.PrimaryKeyConstraint('lead_id', name=op.f('pk_lead_state'))
    )
    with op.batch_alter_table('lead_state', schema=None) as batch_op:
        batch_op.create_index('ix_lead_state_council_status', ['council', 'status'], unique=False)

    op.create_table('voice_view',
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('author_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('views', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('account_id', 'author_key', 'day', name=op.f('pk_voice_view'))
    )
    with op.batch_alter_table('voice_view', schema=None) as batch_op:
        batch_op.create_index('ix_voice_view_author_key', ['author_key'], unique=False)

    op.create_table('desk_session',
    sa.Column('token_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('seen_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.account_id'], name=op.f('fk_desk_session_account_id_account')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_desk_session'))
    )
    with op.batch_alter_table('desk_session', schema=None) as batch_op:
        batch_op.create_index('ix_desk_session_account_id', ['account_id'], unique=False)

    with op.batch_alter_table('lead', schema=None) as batch_op:
        batch_op.create_index('ix_lead_scope_area_rank', ['scope', 'area', 'rank'], unique=False)
        batch_op.create_index('ix_lead_scope_rank', ['scope', 'rank'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('lead', schema=None) as batch_op:
        batch_op.drop_index('ix_lead_scope_rank')
        batch_op.drop_index('ix_lead_scope_area_rank')

    with op.batch_alter_table('desk_session', schema=None) as batch_op:
        batch_op.drop_index('ix_desk_session_account_id')

    op.drop_table('desk_session')
    with op.batch_alter_table('voice_view', schema=None) as batch_op:
        batch_op.drop_index('ix_voice_view_author_key')

    op.drop_table('voice_view')
    with op.batch_alter_table('lead_state', schema=None) as batch_op:
        batch_op.drop_index('ix_lead_state_council_status')

    op.drop_table('lead_state')
    with op.batch_alter_table('lead_community', schema=None) as batch_op:
        batch_op.drop_index('ix_lead_community_community_id')

    op.drop_table('lead_community')
    with op.batch_alter_table('lead_decision', schema=None) as batch_op:
        batch_op.drop_index('ix_lead_decision_lead_id')

    op.drop_table('lead_decision')
    with op.batch_alter_table('contact_hold', schema=None) as batch_op:
        batch_op.drop_index('ix_contact_hold_subject')

    op.drop_table('contact_hold')
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.drop_index('ix_contact_lead_id')
        batch_op.drop_index('ix_contact_council_status')

    op.drop_table('contact')
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_index('uq_account_username')

    op.drop_table('account')
